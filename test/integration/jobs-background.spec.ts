import type { Database } from '../../src/infrastructure/database/database.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';
import {
  asUser,
  buildMachine,
  enqueue,
  eventually,
  gate,
  insertMedia,
  readJob,
  readMediaStatus,
  whenJob,
  type Machine,
} from './jobs-machine.js';

let database: Database;
let machine: Machine;

// A database of its own: who comes first concerns all jobs in it.
beforeAll(async () => {
  database = await connectTestDatabase({ url: (await ownDatabaseUrls('jobs_background')).runtimeUrl });
});
afterEach(() => machine.stop());
afterAll(() => database.end());

/** Re-embedding of one file, any number of times, that has waited for hours. */
async function longWaiting(userId: string, mediaFileId: string, count: number): Promise<string[]> {
  const ids = await enqueue(
    machine,
    database,
    userId,
    Array.from({ length: count }, () => ({
      jobType: 'reindex' as const,
      mediaFileId,
      config: { modelId: 1 },
    })),
  );
  await asUser(userId, () =>
    database.run((tx) =>
      tx.processingJob.updateMany({
        where: { userId, id: { in: ids } },
        data: { queuedAt: new Date(Date.now() - 3 * 3_600_000) },
      }),
    ),
  );
  return ids;
}

it("lets users' own jobs go first, however long re-embedding has waited, and whosever it is", async () => {
  const order: string[] = [];
  const hold = gate();
  const work = async ({ job }: { job: { jobType: string; userId: string } }) => {
    order.push(`${job.jobType} ${job.userId}`);
    if (order.length === 1) await hold.promise;
    return {};
  };
  machine = buildMachine(database, {
    concurrency: 1,
    leaseSeconds: 600,
    handlers: { reindex: work, thumbnail: work },
  });
  const [first, second] = [await createUser(database), await createUser(database)];
  const own = await insertMedia(database, first.id);
  const other = await insertMedia(database, second.id);
  const waiting = await longWaiting(first.id, own, 40);
  await machine.start();
  // Re-embedding is under way, in a queue of forty.
  await eventually(async () => order.length > 0);
  const mine = await enqueue(machine, database, first.id, [{ jobType: 'thumbnail', mediaFileId: own }]);
  const theirs = await enqueue(machine, database, second.id, [{ jobType: 'thumbnail', mediaFileId: other }]);
  // It ends when both have been handed out, behind the others.
  for (const [user, [jobId]] of [
    [first, mine],
    [second, theirs],
  ] as const) {
    await eventually(async () => (await readJob(database, user.id, jobId!)).dispatchedAt !== null);
  }
  hold.open();
  await whenJob(database, first.id, mine[0]!, 'completed');
  await whenJob(database, second.id, theirs[0]!, 'completed');
  // The job that ran when they came is over; not one more went before them.
  expect(order[0]).toBe(`reindex ${first.id}`);
  expect(order.slice(1, 3).sort()).toEqual([`thumbnail ${first.id}`, `thumbnail ${second.id}`].sort());
  expect(waiting).toHaveLength(40);
  await asUser(first.id, () => database.run((tx) => machine.service.cancelForMedia(tx, own)));
});

it('neither delays nor spoils what is told of a file', async () => {
  machine = buildMachine(database, {
    handlers: { thumbnail: async () => ({}), reindex: () => Promise.reject(new Error('no')) },
  });
  const user = await createUser(database);
  const media = await insertMedia(database, user.id);
  await machine.start();
  const [thumbnail] = await enqueue(machine, database, user.id, [
    { jobType: 'thumbnail', mediaFileId: media },
  ]);
  await whenJob(database, user.id, thumbnail!, 'completed');
  const [reindex] = await enqueue(machine, database, user.id, [
    { jobType: 'reindex', mediaFileId: media, config: { modelId: 1 } },
  ]);
  expect((await readMediaStatus(database, user.id, media)).status).toBe('completed');
  await whenJob(database, user.id, reindex!, 'failed');
  expect(await readMediaStatus(database, user.id, media)).toMatchObject({
    ...{ status: 'completed', statusReason: null, processingError: null },
  });
  const summary = await asUser(user.id, () => database.run((tx) => machine.service.summaries(tx, [media])));
  expect(summary.get(media)).toMatchObject({ total: 1, completed: 1, failed: 0 });
});
