import fc from 'fast-check';
import { ProviderError } from '../../infrastructure/ai/ai.types.js';
import { MediaRejectedError } from '../../infrastructure/media-tools/media-tools.types.js';
import { ObjectNotFoundError, StorageUnavailableError } from '../../infrastructure/storage/object-storage.js';
import { backoffMs, MAX_BACKOFF_MS } from './backoff.js';
import { toJobFailure } from './job-failures.js';
import { JobRegistry } from './job-registry.js';
import { JOB_CATALOGUE, JobFailure, type JobType } from './jobs.types.js';
import { mediaStatusOf } from './media-status.js';
import { ProgressReporter } from './progress-reporter.js';
import { planRetry, type PlannedJob } from './retry-plan.js';

describe('backoffMs', () => {
  it('doubles its ceiling with every attempt and jitters over all of it', () => {
    expect([1, 2, 3].map((attempt) => backoffMs(attempt, 5_000, 0.5))).toEqual([2_500, 5_000, 10_000]);
    expect(backoffMs(1, 5_000, 0)).toBe(0);
    expect(backoffMs(100, 5_000, 1)).toBe(MAX_BACKOFF_MS);
  });
});

describe('mediaStatusOf', () => {
  const job = (jobType: string, status: string, errorCode: string | null = null) => ({
    jobType,
    status,
    errorCode,
    errorMessage: errorCode && 'What went wrong.',
    hint: errorCode && 'What to do.',
  });
  const statusOf = (...jobs: ReturnType<typeof job>[]) => mediaStatusOf(jobs);

  it('follows the jobs of a file from queued to completed', () => {
    expect(statusOf()).toBeNull();
    const queued = statusOf(job('media_probe', 'pending'), job('embedding_generation', 'blocked'));
    expect(queued?.status).toBe('queued');
    const retrying = statusOf(job('media_probe', 'retrying'), job('embedding_generation', 'blocked'));
    expect(retrying?.status).toBe('processing');
    const between = statusOf(job('media_probe', 'completed'), job('embedding_generation', 'pending'));
    expect(between?.status).toBe('processing');
    expect(statusOf(job('media_probe', 'completed'), job('embedding_generation', 'completed'))).toEqual({
      status: 'completed',
      statusReason: null,
      processingError: null,
    });
  });

  it('calls a file partial when a step failed that it can be found without', () => {
    const jobs = [job('media_probe', 'completed'), job('embedding_generation', 'completed')];
    expect(statusOf(...jobs, job('transcription', 'failed', 'x'))?.statusReason).toBe('partial');
    expect(statusOf(...jobs, job('thumbnail', 'cancelled'))?.statusReason).toBe('partial');
    expect(statusOf(...jobs, job('image_analysis', 'failed', 'budget-exhausted'))?.statusReason).toBe(
      'blocked_budget',
    );
    const early = statusOf(job('transcription', 'failed', 'x'), job('embedding_generation', 'blocked'));
    expect(early).toEqual({ status: 'processing', statusReason: null, processingError: null });
  });

  it.each(['media_probe', 'embedding_generation'])(
    'fails a file whose %s failed or was cancelled',
    (decisive) => {
      const running = job('thumbnail', 'processing');
      expect(statusOf(running, job(decisive, 'failed', 'corrupt-media'))).toEqual({
        status: 'failed',
        statusReason: null,
        processingError: 'What went wrong. What to do.',
      });
      expect(statusOf(running, job(decisive, 'cancelled'))?.processingError).toContain(
        `${decisive} was cancelled`,
      );
    },
  );
});

describe('planRetry', () => {
  const job = (id: string, status: string, ...dependsOn: string[]): PlannedJob => ({
    id,
    jobType: `type of ${id}`,
    status,
    dependsOn,
    config: { of: id },
  });
  const planFor = (id: string, jobs: PlannedJob[]) => {
    let made = 0;
    const repeated = jobs.find((candidate) => candidate.id === id) as PlannedJob;
    const plan = planRetry(repeated, jobs, () => `new ${(made += 1)}`);
    return {
      rows: plan.newJobs.map((row) => [row.id, row.retryOf, row.dependsOn]),
      added: plan.addedDependencies,
    };
  };

  it('repeats everything that was built on the job, in order, and nothing else', () => {
    const jobs = [
      job('probe', 'completed'),
      job('thumbnail', 'completed', 'probe'),
      job('video', 'failed', 'probe'),
      job('speech', 'completed', 'probe'),
      job('text', 'completed', 'video', 'speech'),
      job('embed', 'completed', 'text', 'thumbnail'),
    ];
    expect(planFor('video', jobs)).toEqual({
      rows: [
        ['new 1', 'video', ['probe']],
        ['new 2', 'text', ['new 1', 'speech']],
        ['new 3', 'embed', ['new 2', 'thumbnail']],
      ],
      added: [],
    });
  });

  it('makes blocked jobs wait, and repeats a running one after itself', () => {
    const jobs = [
      job('speech', 'failed'),
      job('text', 'processing', 'speech'),
      job('embed', 'blocked', 'text'),
    ];
    expect(planFor('speech', jobs)).toEqual({
      rows: [
        ['new 1', 'speech', []],
        ['new 2', 'text', ['new 1', 'text']],
      ],
      added: [{ jobId: 'embed', dependsOn: ['new 2'] }],
    });
  });
});

describe('toJobFailure', () => {
  it('keeps what is known, and shows nothing of what is not', () => {
    const codeOf = (error: unknown) => {
      const { code, retryable } = toJobFailure(error);
      return [code, retryable];
    };
    expect(codeOf(new JobFailure('a', 'b', false, 'c'))).toEqual(['a', false]);
    expect(codeOf(new ProviderError('rate-limited', 'Slow down.', true, 'Wait.'))).toEqual([
      'rate-limited',
      true,
    ]);
    expect(codeOf(new MediaRejectedError('corrupt-media', 'Broken.'))).toEqual(['corrupt-media', false]);
    expect(codeOf(new ObjectNotFoundError('key'))).toEqual(['file-missing', false]);
    expect(codeOf(new StorageUnavailableError('gone', 'unreachable'))).toEqual(['storage-unavailable', true]);
    expect(codeOf(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toEqual([
      'database-unavailable',
      true,
    ]);
    expect(codeOf('not an error')).toEqual(['internal-error', true]);
    expect(toJobFailure(new Error('password=hunter2')).message).not.toContain('hunter2');
  });

  it('fits every text into its column', () => {
    const failure = toJobFailure(new JobFailure('c'.repeat(80), `a\0${'m'.repeat(5_000)}`, true, 'h\0'));
    expect([failure.code.length, failure.message.length, failure.message.slice(0, 2), failure.hint]).toEqual([
      50,
      1_000,
      'am',
      'h',
    ]);
  });
});

describe('JobRegistry', () => {
  const handlerOf = (jobType: string) => ({ jobType: jobType as JobType, handle: async () => ({}) });

  it('wants exactly one handler for each kind of the catalogue', () => {
    const registry = new JobRegistry();
    const kinds = Object.keys(JOB_CATALOGUE);
    for (const kind of kinds.slice(0, -2)) registry.register(handlerOf(kind));
    expect(() => registry.assertComplete()).toThrow(
      `no handler was registered for: ${kinds.slice(-2).join(', ')}`,
    );
    for (const kind of kinds.slice(-2)) registry.register(handlerOf(kind));
    expect(() => registry.assertComplete()).not.toThrow();
    expect(() => registry.register(handlerOf('thumbnail'))).toThrow(
      'two handlers were registered for thumbnail',
    );
    expect(() => registry.register(handlerOf('mining'))).toThrow('not in the job catalogue');
    expect([registry.find('thumbnail')?.jobType, registry.find('mining')]).toEqual(['thumbnail', null]);
  });
});

describe('ProgressReporter', () => {
  it('writes whole percentages from 0 to 100 that never fall, whatever is reported', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.double(), fc.constantFrom('a', 'b'), fc.nat(400))),
        async (reports) => {
          const written: number[] = [];
          let now = 0;
          const reporter = new ProgressReporter(
            async (percentage) => void written.push(percentage),
            () => now,
          );
          for (const [percentage, step, pause] of reports) {
            now += pause;
            await reporter.report(percentage, step);
          }
          expect(written).toEqual([...written].sort((a, b) => a - b));
          expect(
            written.every(
              (percentage) => Number.isInteger(percentage) && percentage >= 0 && percentage <= 100,
            ),
          ).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('writes four times a second at most within one step, and survives a write that fails', async () => {
    let writes = 0;
    let now = 0;
    const reporter = new ProgressReporter(
      async () => {
        writes += 1;
        throw new Error('the database is away');
      },
      () => now,
    );
    for (now = 0; now < 1_000; now += 10) await reporter.report(now / 10, 'reading');
    expect(writes).toBe(4);
  });
});
