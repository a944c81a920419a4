import { Random, seedOf, Zipf } from './random.js';
import { SUBTOPICS, TOPICS, TopicSpace } from './topics.js';
import { Vocabulary, type DocumentWords } from './words.js';

/** The model that all stored vectors are of. The product's process that is measured embeds with the same. */
export const BENCH_MODEL = {
  id: 1,
  provider: 'bench',
  name: 'bench-vectors',
  version: 'v1',
  dimensions: 1536,
};
export const SEED = 20_261_125;
/** The first ones are the most frequent. */
export const TAG_NAMES = (
  'family,harbour,holiday,wedding,garden,office,winter,summer,party,concert,sunset,street,school,sport,kitchen,forest,' +
  'river,castle,market,festival,portrait,night,trip,home,museum,station,bridge,island,village,work'
).split(',');
export const LABEL_NAMES = (
  'person,dog,tree,car,building,sky,water,table,chair,flower,cat,boat,bicycle,mountain,road,window,door,bird,horse,cup,' +
  'book,screen,lamp,hat,shoe,ball,cake,plate,bottle,bag,clock,bench,fence,cloud,grass,sand,snow,rock,wall,roof,train,bus,' +
  'plane,truck,phone,camera,guitar,piano,fish,cow,sheep,apple,bread,pizza,glass,knife,sofa,bed,sink,towel'
).split(',');

const FIRST_DAY = Date.UTC(2025, 0, 1);
const DAYS = 690;

export interface BenchUser {
  number: number;
  id: string;
  size: number;
}

/** One file with its one vector. */
export interface BenchFile {
  id: string;
  vectorId: string;
  number: number;
  uploadedAt: Date;
  fileType: 'image' | 'video';
  isPrivate: boolean;
  isDeleted: boolean;
  words: DocumentWords;
  /** Indexes into TAG_NAMES and LABEL_NAMES, each once. */
  tags: number[];
  labels: number[];
  vector: Float32Array;
}

export interface DataSetShape {
  /** Users of a given size, smallest first. They are the ones that are measured. */
  sizes: { size: number; users: number }[];
  /** Further users of 50 to 600 vectors. */
  others: { users: number; vectors: number };
}

/** The data set of the issue: 200,000 vectors, 500 users. */
export const FULL_SHAPE: DataSetShape = {
  sizes: [
    { size: 100, users: 20 },
    { size: 1_000, users: 20 },
    { size: 10_000, users: 5 },
    { size: 50_000, users: 1 },
  ],
  others: { users: 454, vectors: 78_000 },
};

/** A tenth of it: the same users of 100, so that what they see can be compared. */
export const QUICK_SHAPE: DataSetShape = {
  sizes: [
    { size: 100, users: 20 },
    { size: 1_000, users: 3 },
    { size: 10_000, users: 1 },
  ],
  others: { users: 29, vectors: 5_000 },
};

/** The users of 100 and next to nobody else: beside them, a quick run has many others. */
export const TINY_SHAPE: DataSetShape = {
  sizes: [{ size: 100, users: 20 }],
  others: { users: 1, vectors: 100 },
};

/** Files of users, made from the seed alone: a user's files do not depend on how many others there are. */
export class DataSet {
  readonly users: BenchUser[];
  readonly vocabulary: Vocabulary;
  private readonly topics: TopicSpace;
  private readonly topicZipf = new Zipf(TOPICS, 3);
  private readonly subtopicZipf = new Zipf(SUBTOPICS, 2);

  constructor(
    readonly shape: DataSetShape,
    readonly seed = SEED,
  ) {
    this.topics = new TopicSpace(seed);
    this.vocabulary = new Vocabulary(seed);
    const user = (number: number, size: number, ...identity: (number | string)[]): BenchUser => {
      return { number, size, id: uuid(FIRST_DAY, new Random(seedOf(seed, 'user', ...identity))) };
    };
    this.users = [];
    for (const { size, users } of shape.sizes) {
      for (let ordinal = 0; ordinal < users; ordinal++) {
        this.users.push(user(this.users.length, size, size, ordinal));
      }
    }
    for (const [ordinal, size] of otherSizes(shape.others, new Random(seedOf(seed, 'sizes'))).entries()) {
      this.users.push(user(this.users.length, size, 'other', ordinal));
    }
  }

  get vectorCount(): number {
    return this.users.reduce((sum, user) => sum + user.size, 0);
  }

  usersOf(size: number): BenchUser[] {
    return this.users.slice(0, this.measuredUsers).filter((user) => user.size === size);
  }

  /**
   * All files, in the order in which they were uploaded: people upload a few at a time, so the rows of one user lie
   * scattered over the tables as they do in a live system.
   */
  *files(): Generator<{ user: BenchUser; file: BenchFile }> {
    const sessions: { at: number; user: BenchUser; first: number; count: number }[] = [];
    for (const user of this.users) {
      const random = this.random('sessions', user);
      for (let first = 0; first < user.size;) {
        const count = Math.min(user.size - first, 1 + random.integer(20));
        sessions.push({ at: FIRST_DAY + random.next() * DAYS * 86_400_000, user, first, count });
        first += count;
      }
    }
    sessions.sort((a, b) => a.at - b.at);
    for (const { at, user, first, count } of sessions) {
      for (let index = 0; index < count; index++) {
        yield { user, file: this.file(user, first + index, new Date(Math.floor(at) + index * 4_000)) };
      }
    }
  }

  /** Vectors that a user asks with: of the topics of the user's own files, none of them stored. */
  queryVectors(user: BenchUser, count: number): Float32Array[] {
    const random = this.random('queries', user);
    return Array.from({ length: count }, () => {
      const topic = this.topicOf(user, random);
      return this.topics.vector(topic, this.subtopicZipf.draw(random), random);
    });
  }

  private get measuredUsers(): number {
    return this.shape.sizes.reduce((sum, { users }) => sum + users, 0);
  }

  private file(user: BenchUser, number: number, uploadedAt: Date): BenchFile {
    const random = this.random('file', user, number);
    const topic = this.topicOf(user, random);
    const isDeleted = random.next() < 0.005;
    return {
      id: uuid(uploadedAt.getTime(), random),
      vectorId: uuid(uploadedAt.getTime() + 2_000, random),
      number,
      uploadedAt,
      fileType: random.next() < 0.05 ? 'video' : 'image',
      isPrivate: random.next() < 0.01,
      isDeleted,
      words: this.vocabulary.document(topic, random),
      tags: distinct(1 + random.integer(2), () => Math.floor(random.next() ** 2 * TAG_NAMES.length)),
      labels: distinct(2, () => Math.floor(random.next() ** 2 * LABEL_NAMES.length)),
      vector: this.topics.vector(topic, this.subtopicZipf.draw(random), random),
    };
  }

  /** A user is at home in some of the topics: 3 with 100 files, 5 with 1,000, 9 with 10,000, 14 with 50,000. */
  private topicOf(user: BenchUser, random: Random): number {
    const own = Math.round(3 * Math.max(1, user.size / 100) ** 0.25);
    const rank = this.topicZipf.draw(random) % own;
    return seedOf(this.seed, 'topic of', user.id, rank) % TOPICS;
  }

  private random(purpose: string, user: BenchUser, ...more: number[]): Random {
    return new Random(seedOf(this.seed, purpose, user.id, ...more));
  }
}

/** Sizes from 50 to 600, many small and few large, that add up. */
function otherSizes({ users, vectors }: DataSetShape['others'], random: Random): number[] {
  const sizes = Array.from({ length: users }, () => Math.round(50 + 550 * random.next() ** 3));
  let open = vectors - sizes.reduce((a, b) => a + b, 0);
  while (open !== 0) {
    const index = random.integer(users);
    const changed = sizes[index]! + Math.sign(open);
    if (changed < 50 || changed > 600) continue;
    sizes[index] = changed;
    open -= Math.sign(open);
  }
  return sizes;
}

function distinct(count: number, draw: () => number): number[] {
  return [...new Set(Array.from({ length: count }, draw))];
}

/** UUIDv7: milliseconds in front, so that ids grow with time as the product's do. */
function uuid(milliseconds: number, random: Random): string {
  const time = Math.floor(milliseconds).toString(16).padStart(12, '0');
  const hex = (digits: number): string =>
    random
      .integer(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${(8 + random.integer(4)).toString(16)}${hex(3)}-${hex(6)}${hex(6)}`;
}
