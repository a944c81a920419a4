import { watchStatements } from './watch-statements.js';

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
    const [start, stop] = [() => this.start(), () => this.stop()];
    watchStatements((statement, answer) => {
      // COMMIT travels behind statements that are counted; after reading, nobody waits for its answer.
      if (!(answer instanceof Promise) || statement === 'COMMIT') return;
      start();
      answer.then(stop, stop);
    });
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
