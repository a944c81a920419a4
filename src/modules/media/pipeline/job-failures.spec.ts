import { ProviderError } from '../../../infrastructure/ai/ai.types.js';
import { InvalidVectorError } from '../../../infrastructure/ai/vectors.js';
import { ProcessFailedError } from '../../../infrastructure/media-tools/child-process.js';
import { MediaToolMissingError } from '../../../infrastructure/media-tools/ffmpeg-locator.js';
import { MediaRejectedError } from '../../../infrastructure/media-tools/media-tools.types.js';
import {
  ObjectNotFoundError,
  StorageUnavailableError,
} from '../../../infrastructure/storage/object-storage.js';
import { JobFailure } from '../../jobs/jobs.types.js';
import { toJobFailure } from './job-failures.js';

it.each([
  [new ProviderError('provider-rate-limited', 'slow down', true, 'Wait.'), 'provider-rate-limited', true],
  [new ProviderError('provider-refused', 'no', false, 'Try another file.'), 'provider-refused', false],
  [new MediaRejectedError('corrupt-media', 'damaged'), 'corrupt-media', false],
  [new MediaRejectedError('video-without-streams', 'empty'), 'corrupt-media', false],
  [new ObjectNotFoundError('gone'), 'file-missing', false],
  [new StorageUnavailableError('full', 'full'), 'storage-full', true],
  [new StorageUnavailableError('down', 'unreachable'), 'storage-unavailable', true],
  [new MediaToolMissingError('no ffmpeg'), 'media-tool-missing', false],
  [new ProcessFailedError('timeout', 'took too long', ''), 'media-tool-failed', true],
  [new InvalidVectorError('NaN'), 'provider-bad-answer', true],
])('tells %s as %s', (error, code, retryable) => {
  const failure = toJobFailure(error);
  expect(failure).toBeInstanceOf(JobFailure);
  expect(failure).toMatchObject({ code, retryable, cause: error });
  expect((failure as JobFailure).hint).toMatch(/\.$/);
});

it('keeps the words of a provider on what to do', () => {
  expect(toJobFailure(new ProviderError('provider-refused', 'no', false, 'Try another file.'))).toMatchObject(
    {
      message: 'no',
      hint: 'Try another file.',
    },
  );
});

it('hands on what it does not know, and failures that are told already', () => {
  const bug = new TypeError('x is not a function');
  const failure = new JobFailure('budget-exhausted', 'spent', false, 'Wait.');
  expect(toJobFailure(bug)).toBe(bug);
  expect(toJobFailure(failure)).toBe(failure);
});
