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
