/** The transaction took longer than its limit and was rolled back. */
export class TransactionTimeoutError extends Error {
  override name = 'TransactionTimeoutError';
  constructor(readonly timeoutMs: number) {
    super(`the transaction took longer than ${timeoutMs} ms and was rolled back`);
  }
}

/** A statement of the transaction had failed, and its caller went on as if it had not: nothing was kept. */
export class TransactionLostError extends Error {
  override name = 'TransactionLostError';
  constructor() {
    super('a statement of the transaction had failed: PostgreSQL rolled it back instead of committing');
  }
}

/** While somebody waited for a connection, the server answered nobody. */
export class ServerSilentError extends Error {
  override name = 'ServerSilentError';
  constructor(silenceMs: number) {
    super(`the database server has answered nobody for ${silenceMs} ms`);
  }
}
