import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import type { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { uniqueHash } from '../factories/rows.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';

describe('002-10 operations: transactions, soft delete, pages, complex queries', () => {
  let database: Database;
  let userId: string;
  const admin = (): Actor => ({ kind: 'admin', userId });
  beforeAll(async () => {
    database = await connectTestDatabase();
    userId = (await createUser(database)).id;
  });
  afterAll(() => database.end());
  const run = <T>(fn: (tx: Transaction) => Promise<T>): Promise<T> =>
    database.runAs({ kind: 'user', userId }, fn);

  const addMedia = async (
    tx: Transaction,
    values: Partial<Prisma.MediaFileUncheckedCreateInput> = {},
  ): Promise<string> => {
    const id = uuidv7();
    await tx.mediaFile.create({
      data: {
        ...{
          userId,
          id,
          filename: `${id}.mp4`,
          originalFilename: 'clip.mp4',
          title: 'clip',
          fileType: 'video',
          mimeType: 'video/mp4',
        },
        ...{
          fileSizeBytes: 1000n,
          fileHash: uniqueHash(),
          storageProvider: 'local',
          s3Bucket: 'media',
          s3Key: `${userId}/${id}`,
          ...values,
        },
      },
    });
    return id;
  };

  it('002-22 transaction: user and file together, or neither', async () => {
    const id = uuidv7();
    const both = (fail: boolean) => (): Promise<unknown> =>
      database.runAsSystem('auth.register', async (tx) => {
        await tx.user.create({ data: { id, email: `${id}@example.test` } });
        if (fail) throw new Error('second step failed');
      });
    await expect(both(true)()).rejects.toThrow('second step failed');
    expect(await database.runAsSystem('maintenance', (tx) => tx.user.count({ where: { id } }))).toBe(0);
    await both(false)();
    expect(await database.runAsSystem('maintenance', (tx) => tx.user.count({ where: { id } }))).toBe(1);
  });

  it('002-21: users are listed page by page; a soft-deleted one is kept', async () => {
    const names = Array.from({ length: 5 }, (_, index) => `page ${index} ${userId}`);
    await database.runAsSystem('maintenance', (tx) =>
      tx.user.createMany({
        data: names.map((displayName) => ({ id: uuidv7(), email: `${uuidv7()}@example.test`, displayName })),
      }),
    );
    const page = (skip: number): Promise<{ displayName: string | null }[]> =>
      database.runAs(admin(), (tx) =>
        tx.user.findMany({
          where: { displayName: { in: names }, deletedAt: null },
          orderBy: { displayName: 'asc' },
          skip,
          take: 2,
          select: { displayName: true },
        }),
      );
    expect(
      (await Promise.all([page(0), page(2), page(4)])).flat().map(({ displayName }) => displayName),
    ).toEqual(names);
    await database.runAs(admin(), (tx) =>
      tx.user.updateMany({ where: { displayName: names[0] }, data: { deletedAt: new Date() } }),
    );
    expect((await page(0))[0]?.displayName).toBe(names[1]);
    expect(await database.runAs(admin(), (tx) => tx.user.count({ where: { displayName: names[0] } }))).toBe(
      1,
    );
  });

  it('002-12 soft delete: a file in the trash is out of the lists, and comes back', async () => {
    const id = await run((tx) => addMedia(tx));
    const where = { userId_id: { userId, id } };
    const listed = (): Promise<number> => run((tx) => tx.mediaFile.count({ where: { id, deletedAt: null } }));
    const counts = [await listed()];
    for (const deletedAt of [new Date(), null]) {
      await run((tx) => tx.mediaFile.update({ where, data: { deletedAt } }));
      counts.push(await listed());
    }
    expect(counts).toEqual([1, 0, 1]);
  });

  it('002-23 getTopClips: the best of a file from a score on, best first', async () => {
    const scores = [0.95, 0.65, 0.71, 0.7, 0.99];
    const top = await run(async (tx) => {
      const mediaFileId = await addMedia(tx);
      await tx.clip.createMany({
        data: scores.map((score, index) => ({
          userId,
          id: uuidv7(),
          mediaFileId,
          startTimeSeconds: index,
          endTimeSeconds: index + 1,
          score,
          rank: index + 1,
        })),
      });
      return tx.clip.findMany({
        where: { userId, mediaFileId, score: { gte: 0.7 } },
        orderBy: { score: 'desc' },
        take: 3,
      });
    });
    expect(top.map(({ score }) => score.toNumber())).toEqual([0.99, 0.95, 0.71]);
  });

  it('002-20 types: big counters and money keep every digit', async () => {
    const bytes = 9_007_199_254_740_993n;
    const kept = await run(async (tx) => {
      const id = await addMedia(tx, { fileSizeBytes: bytes, deletedAt: new Date() });
      return tx.mediaFile.findUniqueOrThrow({ where: { userId_id: { userId, id } } });
    });
    expect(kept.fileSizeBytes).toBe(bytes);
  });

  it('002-10 complex queries: counts per tag and sums per service', async () => {
    const figures = await run(async (tx) => {
      const tag = await tx.tag.create({ data: { userId, id: uuidv7(), name: `counted ${uuidv7()}` } });
      for (let file = 0; file < 3; file += 1)
        await tx.mediaTag.create({ data: { userId, mediaFileId: await addMedia(tx), tagId: tag.id } });
      const withCount = await tx.tag.findUniqueOrThrow({
        where: { userId_id: { userId, id: tag.id } },
        include: { _count: { select: { mediaTags: true } } },
      });
      const entry = {
        userId,
        operationType: 'sum',
        billingPeriodMonth: 1,
        billingPeriodYear: 2026,
        serviceName: 'youtube',
      };
      await tx.costEntry.createMany({
        data: ['0.1', '0.2', '0.0000000003'].map((amount) => ({ ...entry, id: uuidv7(), amount })),
      });
      const sums = await tx.costEntry.groupBy({
        by: ['serviceName'],
        where: { userId, operationType: 'sum' },
        _sum: { amount: true },
      });
      return [withCount._count.mediaTags, sums[0]?._sum.amount?.toString()];
    });
    expect(figures).toEqual([3, '0.3000000003']);
  });
});
