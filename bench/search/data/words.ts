import { Random, seedOf, Zipf } from './random.js';
import { TOPICS } from './topics.js';

const VOCABULARY = 20_000;
const WORDS_PER_TOPIC = 40;
/** Softens the head, so that no word is in every document, as if stop words were gone. */
const ZIPF_OFFSET = 6;
const TITLE_WORDS = 4;
const SUMMARY_WORDS = 24;

const ONSETS = 'b,br,c,ch,d,dr,f,fl,g,gr,h,j,k,l,m,n,p,pl,qu,r,s,sh,st,t,tr,v,w,z'.split(',');
const VOWELS = 'a,e,i,o,u,ai,ea,oo'.split(',');
const ENDS = 'k,l,m,n,nd,p,r,rk,rt,x'.split(',');

export interface DocumentWords {
  title: string;
  summary: string;
}

/** Made-up words with the distribution of real ones (Zipf): two thirds from the language, one third from the topic. */
export class Vocabulary {
  /** By how common they are. */
  readonly words: string[];
  private readonly zipf = new Zipf(VOCABULARY, ZIPF_OFFSET);
  private readonly topicZipf = new Zipf(WORDS_PER_TOPIC, 2);
  private readonly topicWords: string[][];

  constructor(seed: number) {
    const random = new Random(seedOf(seed, 'words'));
    const made = new Set<string>();
    while (made.size < VOCABULARY) {
      const syllables = made.size < 400 ? 1 : 2 + random.integer(2);
      let word = '';
      for (let count = 0; count < syllables; count++) word += random.pick(ONSETS) + random.pick(VOWELS);
      made.add(word + random.pick(ENDS));
    }
    this.words = [...made];
    this.topicWords = Array.from({ length: TOPICS }, () =>
      Array.from({ length: WORDS_PER_TOPIC }, () => this.words[400 + random.integer(VOCABULARY - 400)]!),
    );
  }

  document(topic: number, random: Random): DocumentWords {
    return {
      title: this.draw(TITLE_WORDS, topic, random),
      summary: this.draw(SUMMARY_WORDS, topic, random),
    };
  }

  private draw(count: number, topic: number, random: Random): string {
    const drawn: string[] = [];
    for (let index = 0; index < count; index++) {
      drawn.push(
        random.next() < 0.33
          ? this.topicWords[topic]![this.topicZipf.draw(random)]!
          : this.words[this.zipf.draw(random)]!,
      );
    }
    return drawn.join(' ');
  }
}
