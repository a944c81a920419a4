import pg from 'pg';

type Query = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Measures how long at least one statement is under way to PostgreSQL, over all connections of this process: from when it
 * is handed to the driver until its answer is there. Meant for one request at a time.
 */
export class StatementClock {
  private underWay = 0;
  private since = 0;
  private total = 0;

  /** Watches every connection that `pg` makes from now on. */
  watch(): void {
    const prototype = pg.Client.prototype as unknown as { query: Query };
    const { query } = prototype;
    const [start, stop] = [() => this.start(), () => this.stop()];
    prototype.query = function (...args) {
      const answer = query.apply(this, args);
      // COMMIT travels behind statements that are counted; after reading, nobody waits for its answer.
      if (answer instanceof Promise && args[0] !== 'COMMIT') {
        start();
        answer.then(stop, stop);
      }
      return answer;
    };
  }

  /** @returns milliseconds since it was asked last */
  take(): number {
    const { total } = this;
    this.total = 0;
    return total;
  }

  private start(): void {
    if (this.underWay === 0) this.since = performance.now();
    this.underWay += 1;
  }

  private stop(): void {
    this.underWay -= 1;
    if (this.underWay === 0) this.total += performance.now() - this.since;
  }
}
