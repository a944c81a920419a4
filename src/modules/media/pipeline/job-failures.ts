import { ProviderError } from '../../../infrastructure/ai/ai.types.js';
import { InvalidVectorError } from '../../../infrastructure/ai/vectors.js';
import { ProcessFailedError } from '../../../infrastructure/media-tools/child-process.js';
import { MediaToolMissingError } from '../../../infrastructure/media-tools/ffmpeg-locator.js';
import { MediaRejectedError } from '../../../infrastructure/media-tools/media-tools.types.js';
import {
  ObjectNotFoundError,
  StorageUnavailableError,
} from '../../../infrastructure/storage/object-storage.js';
import { JobFailure, type JobContext, type JobHandler, type JobResult } from '../../jobs/jobs.types.js';

/**
 * Says of a failure what failed and what to do. What it does not know is handed on as it is: the job machine counts
 * that as retryable.
 */
export function toJobFailure(error: unknown): unknown {
  if (error instanceof JobFailure) return error;
  const options = { cause: error };
  if (error instanceof ProviderError) {
    return new JobFailure(error.code.slice(0, 50), error.message, error.retryable, error.hint, options);
  }
  if (error instanceof MediaRejectedError) {
    // It was accepted at upload, so the stored copy is damaged or this server decodes less than the one that took it.
    return new JobFailure(
      'corrupt-media',
      error.message,
      false,
      'Delete the file and upload a sound copy.',
      options,
    );
  }
  if (error instanceof ObjectNotFoundError) return fileMissing(options);
  if (error instanceof StorageUnavailableError) {
    return error.reason === 'full'
      ? new JobFailure(
          'storage-full',
          'There is no space left for what was made of the file.',
          true,
          'The operator has to make room; then start the job again.',
          options,
        )
      : new JobFailure(
          'storage-unavailable',
          'The file store does not answer.',
          true,
          'The job is tried again by itself; if it keeps failing, ask the operator.',
          options,
        );
  }
  if (error instanceof MediaToolMissingError) {
    return new JobFailure(
      'media-tool-missing',
      error.message,
      false,
      'The operator has to install it; then start the job again.',
      options,
    );
  }
  if (error instanceof ProcessFailedError) {
    return new JobFailure(
      'media-tool-failed',
      error.message.slice(0, 500),
      true,
      'The job is tried again by itself; if it keeps failing, the file may be damaged.',
      options,
    );
  }
  if (error instanceof InvalidVectorError) {
    return new JobFailure(
      'provider-bad-answer',
      `The embedding model gave an unusable vector: ${error.message}`,
      true,
      'The job is tried again by itself; if it keeps failing, ask the operator.',
      options,
    );
  }
  return error;
}

/** The original is no longer in the store: another attempt finds no more. */
export function fileMissing(options?: ErrorOptions): JobFailure {
  return new JobFailure(
    'file-missing',
    'The stored file is missing.',
    false,
    'Upload the file again.',
    options,
  );
}

/** The media was deleted while its jobs were waiting or running, or never was this user's. */
export function mediaDeleted(): JobFailure {
  return new JobFailure(
    'media-deleted',
    'The file has been deleted.',
    false,
    'Restore it and analyse it again.',
  );
}

/** A handler whose failures are told by toJobFailure. */
export function withJobFailures(handler: JobHandler): JobHandler {
  return {
    jobType: handler.jobType,
    handle: async (context: JobContext): Promise<JobResult> => {
      try {
        return await handler.handle(context);
      } catch (error) {
        throw toJobFailure(error);
      }
    },
  };
}

/** No model that this process is set up for may embed the file: vectors of two models cannot be compared. */
export function embeddingModelMismatch(message: string): JobFailure {
  return new JobFailure(
    'embedding-model-mismatch',
    message,
    false,
    'The operator has to restart the processes with the AI settings of the active model, or switch to another model.',
  );
}
