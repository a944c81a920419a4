import type { BenchUser } from '../data/data-set.js';

export interface QueryVector {
  /** Unit length. */
  floats: Float32Array;
  /** The same in halfvec's text form. */
  halfvec: string;
}

export interface Answer {
  /** Ids of media files, nearest first. */
  ids: string[];
  milliseconds: number;
}

/** Something that finds a user's nearest vectors. */
export interface Contender {
  readonly name: string;
  /** What it is and what is timed; for the legend of the table. */
  readonly note: string;
  /** `visible`: leaves out the trash and private files, as the product does; `owned`: knows the owner alone. */
  readonly scope: 'visible' | 'owned';
  search(user: BenchUser, query: QueryVector): Promise<Answer>;
  close(): Promise<void>;
}

/** Wraps a file's id and a user so that systems without UUIDs can use small numbers. */
export class Numbering {
  readonly ids: string[] = [];

  add(id: string): number {
    return this.ids.push(id) - 1;
  }

  idOf(number: number | bigint): string {
    return this.ids[Number(number)]!;
  }
}
