import type { PricedUsage } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';

/** Every kind of job that a handler exists for, with the reason of its limits. One catalogue: start-up compares it with the handlers. */
export const JOB_CATALOGUE = {
  media_probe: { timeLimitSeconds: 120, maxAttempts: 3 },
  thumbnail: { timeLimitSeconds: 120, maxAttempts: 3 },
  image_analysis: { timeLimitSeconds: 180, maxAttempts: 3 },
  // A two-hour film is the longest that a plan allows; key frames are read at a few times real-time speed.
  video_analysis: { timeLimitSeconds: 1800, maxAttempts: 3 },
  transcription: { timeLimitSeconds: 1800, maxAttempts: 3 },
  clip_scoring: { timeLimitSeconds: 120, maxAttempts: 3 },
  text_analysis: { timeLimitSeconds: 180, maxAttempts: 3 },
  embedding_generation: { timeLimitSeconds: 300, maxAttempts: 3 },
  reindex: { timeLimitSeconds: 300, maxAttempts: 3 },
} as const;
export type JobType = keyof typeof JOB_CATALOGUE;

/**
 * Work that the operator ordered: it comes after everybody's own jobs, however long it has waited, and says nothing about
 * how far a file's analysis is.
 */
export const BACKGROUND_JOB_TYPE = 'reindex' satisfies JobType;
/** Lowest of the scale, for people who look at the row; the dispatcher goes by the type. */
export const BACKGROUND_PRIORITY = 10;

/** Who pays a provider call: the owner of the file out of the plan's budget, or the operator. */
export type Payer = 'owner' | 'operator';

export const JOB_STATUSES = [
  'blocked',
  'pending',
  'processing',
  'retrying',
  'completed',
  'failed',
  'cancelled',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** How far the jobs of one file are; of each kind the newest counts. */
export interface JobSummary {
  total: number;
  completed: number;
  failed: number;
  /** 0..100 whole; jobs that have ended count as done. */
  progressPercentage: number;
}

/** A job to be written in the transaction of what it belongs to. */
export interface NewJob {
  /** UUIDv7 made by the caller, so that jobs of one batch can depend on each other. */
  id: string;
  jobType: JobType;
  mediaFileId: string;
  /** Ids of jobs of the same batch that must have ended (completed, failed or cancelled) before this one starts. */
  dependsOn?: string[];
  /** Ids and versions only, never content. */
  config?: Record<string, string | number | boolean>;
}

/** What a handler gets. It runs in the scope of the job's owner: `database.run` sees only that user's rows. */
export interface JobContext {
  readonly job: {
    readonly id: string;
    readonly userId: string;
    readonly mediaFileId: string;
    readonly jobType: JobType;
    readonly config: Record<string, unknown>;
    /** 1 for the first attempt. */
    readonly attempt: number;
  };
  /** Aborted when the job is cancelled, its time is up, its lease was lost, or the worker shuts down. */
  readonly signal: AbortSignal;
  /** A fresh folder on local disk, removed when the job ends in whatever way. */
  readonly workDir: string;
  /** Tells people how far the job is; 0..100, never goes backwards; written at most a few times a second. */
  progress(percentage: number, step: string): Promise<void>;
  /**
   * Makes one provider call: refused when the plan's budget does not hold `estimate`, recorded in the ledger afterwards.
   * @param payer `operator`: no budget is asked, and the ledger books it as `reindexing`. Default `owner`
   * @throws JobFailure `budget-exhausted`; whatever `call` throws.
   */
  paid<T extends { usage: PricedUsage }>(
    estimate: PricedUsage,
    call: () => Promise<T>,
    payer?: Payer,
  ): Promise<T>;
}

export interface JobResult {
  /** Small facts for the job's row (`result_data`); no content. */
  data?: Record<string, unknown>;
  /**
   * The job's effects on the database. Runs in the same transaction that marks the job completed, after the fencing
   * token was checked: a worker that lost its lease changes nothing. May run again when the transaction is retried.
   */
  commit?(tx: Transaction): Promise<void>;
}

export interface JobHandler {
  readonly jobType: JobType;
  handle(context: JobContext): Promise<JobResult>;
}

/** A failure that says what failed and what to do. Anything else that a handler throws counts as retryable. */
export class JobFailure extends Error {
  override name = 'JobFailure';
  constructor(
    /** Stable, at most 50 characters, e.g. `file-missing`, `corrupt-media`, `budget-exhausted`. */
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    /** One sentence: what the user or operator can do. */
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
