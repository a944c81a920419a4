import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../src/infrastructure/context/actor.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import type { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { makeRow, uniqueHash, vectorText } from '../factories/rows.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';

/** The twelve cases of document 003's model tests; Item is media_files, Embedding is media_embeddings. */
describe('003-14 models', () => {
  let database: Database;
  let userId: string;
  let actor: Actor;
  let modelId: number;
  beforeAll(async () => {
    database = await connectTestDatabase();
    userId = (await createUser(database)).id;
    actor = { kind: 'user', userId };
    modelId = await database.runAsSystem('start-up', async (tx) => {
      const model = { provider: 'test', name: 'models-spec', version: 'v1', dimensions: 1024 };
      const key = {
        provider_name_version: { provider: model.provider, name: model.name, version: model.version },
      };
      return (await tx.embeddingModel.upsert({ where: key, create: model, update: {} })).id;
    });
  });
  afterAll(() => database.end());
  const run = <T>(fn: (tx: Transaction) => Promise<T>): Promise<T> => database.runAs(actor, fn);

  const newItem = (
    tx: Transaction,
    data: Partial<Prisma.MediaFileUncheckedCreateInput> = {},
  ): Promise<{ id: string; createdAt?: Date; uploadedAt: Date; updatedAt: Date }> => {
    const id = uuidv7();
    return tx.mediaFile.create({
      data: {
        ...{
          userId,
          id,
          filename: `${id}.jpg`,
          originalFilename: 'photo.jpg',
          title: 'photo',
          fileType: 'image',
          mimeType: 'image/jpeg',
        },
        ...{
          fileSizeBytes: 1000,
          fileHash: uniqueHash(),
          storageProvider: 'local',
          s3Bucket: 'media',
          s3Key: `${userId}/${id}`,
          ...data,
        },
      },
    });
  };
  const newAnalysis = (
    tx: Transaction,
    mediaFileId: string,
    version = 1,
    rawResponse: object = {},
  ): Promise<{ id: string; version: number }> =>
    tx.analysis.create({ data: { userId, id: uuidv7(), mediaFileId, version, kind: 'image', rawResponse } });
  const newEmbedding = (
    tx: Transaction,
    mediaFileId: string,
    analysisId: string | null,
    vector = vectorText(1),
  ): Promise<number> =>
    tx.$executeRaw`INSERT INTO media_embeddings (user_id, media_file_id, analysis_id, model_id, source_text, embedding)
      VALUES (${userId}::uuid, ${mediaFileId}::uuid, ${analysisId}::uuid, ${modelId}, 'words', ${vector}::halfvec)`;

  it('003-14 models: an item is created with what was given and its defaults', async () => {
    const item = await run((tx) => newItem(tx));
    const read = await run((tx) =>
      tx.mediaFile.findUniqueOrThrow({ where: { userId_id: { userId, id: item.id } } }),
    );
    expect(read).toMatchObject({
      status: 'uploaded',
      fileSizeBytes: 1000n,
      viewCount: 0,
      isPrivate: false,
      tags: [],
      deletedAt: null,
    });
  });

  it('003-14 models: an item has its times, and updated_at moves', async () => {
    const item = await run((tx) => newItem(tx));
    expect(Math.abs(item.uploadedAt.getTime() - Date.now())).toBeLessThan(60_000);
    await sleep(5);
    const where = { userId_id: { userId, id: item.id } };
    const changed = await run(async (tx) => {
      await tx.mediaFile.update({ where, data: { title: 'new' } });
      return tx.mediaFile.findUniqueOrThrow({ where });
    });
    expect(changed.updatedAt.getTime()).toBeGreaterThan(item.updatedAt.getTime());
    expect(changed.uploadedAt).toEqual(item.uploadedAt);
  });

  it.each(['filename', 'originalFilename', 'mimeType', 'fileHash'] as const)(
    '003-14 models: an item needs its %s',
    async (field) => {
      await expect(run((tx) => newItem(tx, { [field]: null as unknown as string }))).rejects.toThrow();
    },
  );

  it('003-14 models: an item knows its analyses', async () => {
    const item = await run(async (tx) => {
      const made = await newItem(tx);
      await newAnalysis(tx, made.id, 1);
      await newAnalysis(tx, made.id, 2);
      return tx.mediaFile.findUniqueOrThrow({
        where: { userId_id: { userId, id: made.id } },
        include: { analyses: { orderBy: { version: 'desc' } } },
      });
    });
    expect(item.analyses.map(({ version }) => version)).toEqual([2, 1]);
  });

  it('003-14 models: an analysis knows its item', async () => {
    const analysis = await run(async (tx) => {
      const { id } = await newItem(tx, { title: 'the parent' });
      const made = await newAnalysis(tx, id);
      return tx.analysis.findUniqueOrThrow({
        where: { userId_id: { userId, id: made.id } },
        include: { mediaFile: true },
      });
    });
    expect(analysis.mediaFile.title).toBe('the parent');
  });

  it('003-14 models: the raw response of an analysis is kept as it came', async () => {
    const raw = { summary: 'x', nested: { list: [1, 'two', null, { deep: true }] }, unicode: 'naïve 日本' };
    const kept = await run(async (tx) => {
      const { id } = await newAnalysis(tx, (await newItem(tx)).id, 1, raw);
      return tx.analysis.findUniqueOrThrow({ where: { userId_id: { userId, id } } });
    });
    expect(kept.rawResponse).toEqual(raw);
    const found = await run((tx) =>
      tx.analysis.count({ where: { userId, rawResponse: { path: ['nested', 'list', '1'], equals: 'two' } } }),
    );
    expect(found).toBe(1);
  });

  it('003-14 models: a version exists once per item, and the newest is found first', async () => {
    const { id } = await run((tx) => newItem(tx));
    await run((tx) => newAnalysis(tx, id, 1));
    await expect(run((tx) => newAnalysis(tx, id, 1))).rejects.toMatchObject({ code: 'P2002' });
    await run((tx) => newAnalysis(tx, id, 2));
    const newest = await run((tx) =>
      tx.analysis.findFirst({ where: { userId, mediaFileId: id }, orderBy: { version: 'desc' } }),
    );
    expect(newest?.version).toBe(2);
  });

  it('003-14 models: deleting an item deletes its analyses and embeddings', async () => {
    const counts = await run(async (tx) => {
      const { id } = await newItem(tx);
      const analysis = await newAnalysis(tx, id);
      await newEmbedding(tx, id, analysis.id);
      const count = async (): Promise<number[]> => [
        await tx.analysis.count({ where: { userId, mediaFileId: id } }),
        await tx.mediaEmbedding.count({ where: { userId, mediaFileId: id } }),
      ];
      const before = await count();
      await tx.mediaFile.delete({ where: { userId_id: { userId, id } } });
      return [before, await count()];
    });
    expect(counts).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it('003-14 models: deleting an analysis keeps the embedding, without the link', async () => {
    const left = await run(async (tx) => {
      const { id } = await newItem(tx);
      const analysis = await newAnalysis(tx, id);
      await newEmbedding(tx, id, analysis.id);
      await tx.analysis.delete({ where: { userId_id: { userId, id: analysis.id } } });
      return tx.mediaEmbedding.findMany({ where: { userId, mediaFileId: id } });
    });
    expect(left).toMatchObject([{ analysisId: null }]);
  });

  it("003-14 models: an embedding has its model with the model's own dimensions", async () => {
    const embedding = await run(async (tx) => {
      const { id } = await newItem(tx);
      await newEmbedding(tx, id, null);
      return tx.mediaEmbedding.findFirstOrThrow({
        where: { userId, mediaFileId: id },
        include: { embeddingModel: true },
      });
    });
    expect(embedding.embeddingModel).toMatchObject({ name: 'models-spec', dimensions: 1024 });
  });

  it('003-14 models: an embedding of another size is refused', async () => {
    const { id } = await run((tx) => newItem(tx));
    await expect(run((tx) => newEmbedding(tx, id, null, '[0.1,0.2]'))).rejects.toThrow('1536');
  });

  it('003-14 models: an embedding is found by its neighbours', async () => {
    const nearest = await run(async (tx) => {
      for (const seed of [3, 11, 29])
        await newEmbedding(tx, (await newItem(tx, { title: `seed ${seed}` })).id, null, vectorText(seed));
      return tx.$queryRaw<{ title: string }[]>`
        SELECT m.title FROM media_embeddings e JOIN media_files m ON m.user_id = e.user_id AND m.id = e.media_file_id
        WHERE e.user_id = ${userId}::uuid AND m.title LIKE 'seed%' ORDER BY e.embedding <=> ${vectorText(11)}::halfvec LIMIT 1`;
    });
    expect(nearest).toEqual([{ title: 'seed 11' }]);
  });
});

describe('the factory of rows', () => {
  it('says so when it does not know a table', async () => {
    await expect(makeRow({} as never, 'unknown', 'nobody')).rejects.toThrow('no factory for unknown');
  });
});
