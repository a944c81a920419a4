import { jest } from '@jest/globals';
import pino from 'pino';
import type { Database } from '../../infrastructure/database/database.js';
import type { StorageCountersService } from '../billing/storage-counters.service.js';
import type { TrashPurger } from '../media/trash-purger.js';
import type { UploadSweeper } from '../media/upload/upload-sweeper.js';
import type { SearchRetentionService } from '../search/search-retention.service.js';
import type { SearchWordsService } from '../search/search-words.service.js';
import { MaintenanceService } from './maintenance.service.js';

const START_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Notes which kinds of work are done; `sweep` is the first of those that are not a statement. */
function createMaintenance(runsJobs: boolean, sweep: () => Promise<object> = () => Promise.resolve({})) {
  const done: string[] = [];
  const note = <T>(name: string, value: T): Promise<T> => {
    done.push(name);
    return Promise.resolve(value);
  };
  const service = new MaintenanceService(
    { runAsSystem: () => note('statement', 0) } as unknown as Database,
    pino({ level: 'silent' }),
    { name: 'api', runsJobs },
    { sweep: () => note('uploads', null).then(sweep) } as unknown as UploadSweeper,
    { purge: () => note('trash', { purged: 0 }) } as unknown as TrashPurger,
    { sweep: () => note('words', 0) } as unknown as SearchWordsService,
    { run: () => note('searches', {}) } as unknown as SearchRetentionService,
    { reconcile: () => note('storage', 0) } as unknown as StorageCountersService,
  );
  return { service, done };
}

const ROUND = [
  ...['statement', 'statement', 'statement', 'uploads', 'trash', 'words', 'searches'],
  // The partitions of the searches.
  'statement',
];

beforeEach(() => {
  jest.useFakeTimers({ now: new Date('2026-01-10T12:10:00Z') });
});
afterEach(() => {
  jest.useRealTimers();
});

it('does everything soon after the start and then every hour, and goes on behind a task that fails', async () => {
  const { service, done } = createMaintenance(true, () => Promise.reject(new Error('no')));
  service.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(START_MS - 1);
  expect(done).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  expect(done).toEqual(ROUND);
  await jest.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(done).toEqual([...ROUND, ...ROUND, ...ROUND]);
});

it('does once a day what is done at night', async () => {
  const { service, done } = createMaintenance(true);
  service.onApplicationBootstrap();
  // From 12:10 on: 02:10 is the last hour before it.
  await jest.advanceTimersByTimeAsync(14 * HOUR_MS);
  expect(done).not.toContain('storage');
  await jest.advanceTimersByTimeAsync(HOUR_MS);
  expect(done.slice(-ROUND.length - 1)).toEqual([...ROUND, 'storage']);
  await jest.advanceTimersByTimeAsync(23 * HOUR_MS);
  expect(done.filter((name) => name === 'storage')).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(HOUR_MS);
  expect(done.filter((name) => name === 'storage')).toHaveLength(2);
});

it('does nothing in a process that does not work on jobs', async () => {
  const { service, done } = createMaintenance(false);
  service.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(done).toEqual([]);
});

it('begins nothing more once the application shuts down', async () => {
  const early = createMaintenance(true);
  early.service.onApplicationBootstrap();
  early.service.onApplicationShutdown();
  await jest.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(early.done).toEqual([]);

  const { promise, resolve } = Promise.withResolvers<object>();
  const late = createMaintenance(true, () => promise);
  late.service.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(START_MS);
  late.service.onApplicationShutdown();
  resolve({});
  await jest.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(late.done).toEqual(ROUND.slice(0, 4));
});
