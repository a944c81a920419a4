/** Injection token of the job transport of this process. */
export const JOB_TRANSPORT = Symbol('JOB_TRANSPORT');

/** What travels: ids, never content. The row in the database says everything else. */
export interface JobMessage {
  jobId: string;
  /** Whose row it is. Only a claim: the row is read again under row-level security (threat A8). */
  userId: string;
  /** Smaller runs sooner. Any number; fractions and negative ones count. */
  priority: number;
  /**
   * Grows with every lease of the row. The same delivery handed over twice is one message to the transport; the next
   * attempt of the same job is another.
   */
  delivery: string;
}

/** What a consumer receives. Everything in it is untrusted. */
export type ReceivedJobMessage = Pick<JobMessage, 'jobId' | 'userId'>;

export interface TransportHealth {
  ok: boolean;
  /** Why not, in words for an operator; never a URL with a password. */
  detail: string | null;
}

/**
 * Carries job ids from whoever has due rows to whoever works. It may lose or double messages: the rows are the truth,
 * and the reconciler hands out again what got lost.
 */
export interface JobTransport {
  readonly kind: 'in-process' | 'bull';

  /**
   * Hands messages over. Resolves when the transport holds them; a delivery that it holds already is left as it is.
   * @throws when the transport does not take them within a few seconds (some may have been taken)
   */
  dispatch(messages: JobMessage[]): Promise<void>;

  /**
   * Starts to call `handler`, at most `concurrency` at a time, lowest priority number first. To be called once.
   * The handler must not throw; when it does, the message is dropped.
   */
  consume(handler: (message: ReceivedJobMessage) => Promise<void>, concurrency: number): Promise<void>;

  /** Stops taking messages, waits up to `drainMs` for handlers under way, lets go of all connections. Idempotent. */
  close(options: { drainMs: number }): Promise<void>;

  /** Answers at once, also when the other side is gone. Never throws. */
  health(): Promise<TransportHealth>;
}
