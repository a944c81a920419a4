/** Milliseconds of one kind of query. */
export class Timings {
  readonly values: number[] = [];

  add(milliseconds: number): void {
    this.values.push(milliseconds);
  }

  get p50(): number {
    return percentile(this.values, 0.5);
  }

  get p95(): number {
    return percentile(this.values, 0.95);
  }
}

/** The value that a share of the list does not exceed (nearest rank). NaN for an empty list. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** Runs `work` and gives what it gave and how many milliseconds it took. */
export async function timed<T>(work: () => Promise<T> | T): Promise<{ value: T; milliseconds: number }> {
  const started = performance.now();
  const value = await work();
  return { value, milliseconds: performance.now() - started };
}

/** How many of the exact answer's ids were found: 1 = all. An empty exact answer is found whole. */
export function recallOf(exact: readonly string[], found: readonly string[]): number {
  if (exact.length === 0) return 1;
  const seen = new Set(found.slice(0, exact.length));
  return exact.filter((id) => seen.has(id)).length / exact.length;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Each round runs every contender once, beginning with another one each time, so that a disturbance of the machine hits
 * all alike. The first rounds are for warming up and not counted.
 */
export async function interleave<T>(
  contenders: readonly T[],
  rounds: number,
  warmUp: number,
  run: (contender: T, round: number, counts: boolean) => Promise<void>,
): Promise<void> {
  for (let round = -warmUp; round < rounds; round++) {
    const start = ((round % contenders.length) + contenders.length) % contenders.length;
    for (let place = 0; place < contenders.length; place++) {
      const contender = contenders[(start + place) % contenders.length]!;
      await run(contender, (round + rounds) % rounds, round >= 0);
    }
  }
}

/** `workers` loops that each take the next number as soon as they are done with one, 0 .. count - 1. */
export async function closedLoop(
  workers: number,
  count: number,
  run: (number: number, worker: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      while (next < count) await run(next++, worker);
    }),
  );
}
