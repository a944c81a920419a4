import pg from 'pg';

/** A statement as the driver gets it. */
export type Statement = string | pg.QueryConfig;
type Query = (this: unknown, ...args: unknown[]) => unknown;

/** Watches every connection that `pg` makes from now on. @param observe is told of each statement once it is handed over */
export function watchStatements(observe: (statement: Statement, answer: unknown) => void): void {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const { query } = prototype;
  prototype.query = function (...args) {
    const answer = query.apply(this, args);
    observe(args[0] as Statement, answer);
    return answer;
  };
}
