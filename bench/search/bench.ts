import { encodeHalfvecText } from '../../src/infrastructure/ai/vectors.js';
import type { ThrowawayPostgres } from '../../test/harness/services/postgres.js';
import type { QueryVector } from './contenders/contender.js';
import type { BenchUser, DataSet } from './data/data-set.js';
import type { Report } from './report.js';
import type { Truth } from './truth.js';

/** Users of one size that take turns, so that one odd library does not decide. */
const USERS_PER_SIZE = 5;

/** What all parts of the benchmark share. */
export interface Bench {
  data: DataSet;
  postgres: ThrowawayPostgres;
  adminUrl: string;
  runtimeUrl: string;
  report: Report;
  truth: Truth;
  options: { queries: number; quick: boolean; documents: boolean };
  /** Folder for files of the peers; removed at the end. */
  scratch: string;
}

/** One query of the list: who asks, and with what. */
export interface Question {
  user: BenchUser;
  vector: QueryVector;
}

export const sizesOf = (bench: Bench): number[] => bench.data.shape.sizes.map(({ size }) => size);

export const measuredUsers = (bench: Bench, size: number): BenchUser[] =>
  bench.data.usersOf(size).slice(0, USERS_PER_SIZE);

/** The queries for one size of user, the same in every part and every run. */
export function questionsOf(bench: Bench, size: number, count = bench.options.queries): Question[] {
  const users = measuredUsers(bench, size);
  const vectors = users.map((user) => bench.data.queryVectors(user, Math.ceil(count / users.length)));
  return Array.from({ length: count }, (_, index) => {
    const floats = vectors[index % users.length]![Math.floor(index / users.length)]!;
    return { user: users[index % users.length]!, vector: { floats, halfvec: encodeHalfvecText(floats) } };
  });
}
