import { ProviderError } from '../../infrastructure/ai/ai.types.js';
import { isUnavailable } from '../../infrastructure/database/sql-state.js';
import { MediaRejectedError } from '../../infrastructure/media-tools/media-tools.types.js';
import { ObjectNotFoundError, StorageUnavailableError } from '../../infrastructure/storage/object-storage.js';
import { JobFailure } from './jobs.types.js';

const MAX_CODE_LENGTH = 50;
const MAX_TEXT_LENGTH = 1_000;

/** Why a job's work was stopped from outside. */
export class JobStopped extends Error {
  override name = 'JobStopped';
  constructor(readonly reason: 'lease-lost' | 'cancelled' | 'shutdown' | 'timed-out') {
    super(`the job was stopped: ${reason}`);
  }
}

export const workerLost = (): JobFailure =>
  new JobFailure(
    'worker-lost',
    'The process that worked on this step ended without a result.',
    true,
    'It is tried again by itself. When all attempts end like this, the file may be damaged: try another copy of it.',
  );

export const timedOut = (seconds: number): JobFailure =>
  new JobFailure(
    'timed-out',
    `The step took longer than ${seconds} s and was stopped.`,
    true,
    'Retry it later, when the server is less busy, or try a smaller file.',
  );

/**
 * Whatever a handler threw, in words that may be shown to the file's owner. Nothing of an unknown error is shown; the
 * log has it.
 */
export function toJobFailure(error: unknown): JobFailure {
  if (error instanceof JobFailure) return tidy(error);
  if (error instanceof ProviderError) {
    return tidy(new JobFailure(error.code, error.message, error.retryable, error.hint, { cause: error }));
  }
  if (error instanceof MediaRejectedError) {
    return tidy(
      new JobFailure(error.code, error.message, false, 'Upload another copy of the file.', { cause: error }),
    );
  }
  if (error instanceof ObjectNotFoundError) {
    return new JobFailure('file-missing', 'The stored file is gone.', false, 'Upload the file again.', {
      cause: error,
    });
  }
  if (error instanceof StorageUnavailableError) {
    return new JobFailure('storage-unavailable', 'The file store did not answer.', true, RETRIED, {
      cause: error,
    });
  }
  if (isUnavailable(error)) {
    return new JobFailure('database-unavailable', 'The database did not answer.', true, RETRIED, {
      cause: error,
    });
  }
  return new JobFailure('internal-error', 'The step failed unexpectedly.', true, RETRIED, { cause: error });
}

const RETRIED = 'It is tried again by itself; if it still fails, retry it later.';

/** Fits the columns. NUL cannot be stored in PostgreSQL text. */
function tidy(failure: JobFailure): JobFailure {
  const clean = (text: string, length: number): string => text.replaceAll('\0', '').slice(0, length);
  return new JobFailure(
    clean(failure.code, MAX_CODE_LENGTH),
    clean(failure.message, MAX_TEXT_LENGTH),
    failure.retryable,
    clean(failure.hint, MAX_TEXT_LENGTH),
    { cause: failure.cause ?? failure },
  );
}
