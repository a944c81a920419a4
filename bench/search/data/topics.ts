import { l2Normalize } from '../../../src/infrastructure/ai/vectors.js';
import { Random, seedOf } from './random.js';

export const DIMENSIONS = 1536;
export const TOPICS = 400;
export const SUBTOPICS = 8;
/** The vectors of one topic differ mostly along this many directions: real embeddings have a low intrinsic dimension. */
const DIRECTIONS_PER_TOPIC = 24;
const DIRECTIONS = 256;

/**
 * Shares of a vector's length, before it is normalised: what all vectors have in common (real embeddings sit in a
 * cone), the topic, the subtopic, the variation inside the topic's own directions, and noise in all dimensions.
 */
const SHARES = { common: 0.4, topic: 0.55, subtopic: 0.45, variation: 0.42, noise: 0.4 };

/**
 * Where vectors come from: topics that all users share, each with subtopics. Two files of one subtopic have a cosine of
 * about .67, of one topic .46, of different topics .16.
 */
export class TopicSpace {
  private readonly common: Float32Array;
  private readonly centres: Float32Array[];
  private readonly directions: Float32Array[];
  private readonly noise: Float32Array;

  constructor(seed: number) {
    const random = new Random(seedOf(seed, 'topics'));
    const unit = (share: number): Float32Array => {
      const vector = new Float32Array(DIMENSIONS);
      for (let index = 0; index < DIMENSIONS; index++) vector[index] = random.normal();
      return l2Normalize(vector)!.map((element) => element * share);
    };
    this.common = unit(SHARES.common);
    this.directions = Array.from({ length: DIRECTIONS }, () =>
      unit(SHARES.variation / Math.sqrt(DIRECTIONS_PER_TOPIC)),
    );
    this.centres = [];
    for (let topic = 0; topic < TOPICS; topic++) {
      const centre = unit(SHARES.topic);
      for (let subtopic = 0; subtopic < SUBTOPICS; subtopic++) {
        const place = unit(SHARES.subtopic);
        for (let index = 0; index < DIMENSIONS; index++)
          place[index]! += centre[index]! + this.common[index]!;
        this.centres.push(place);
      }
    }
    // Drawn once and read from a random place: 200,000 x 1536 normal numbers would take most of a minute.
    this.noise = new Float32Array(1 << 21);
    const scale = SHARES.noise / Math.sqrt(DIMENSIONS);
    for (let index = 0; index < this.noise.length; index++) this.noise[index] = random.normal() * scale;
  }

  /** A unit vector of a subtopic. */
  vector(topic: number, subtopic: number, random: Random): Float32Array {
    const vector = this.centres[topic * SUBTOPICS + subtopic]!.slice();
    for (let number = 0; number < DIRECTIONS_PER_TOPIC; number++) {
      const direction = this.directions[(topic * 7 + number) % DIRECTIONS]!;
      const length = random.normal();
      for (let index = 0; index < DIMENSIONS; index++) vector[index]! += length * direction[index]!;
    }
    const offset = random.integer(this.noise.length - DIMENSIONS);
    const sign = random.next() < 0.5 ? 1 : -1;
    for (let index = 0; index < DIMENSIONS; index++) vector[index]! += sign * this.noise[offset + index]!;
    return l2Normalize(vector)!;
  }
}
