import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  STORED_DIMENSIONS,
  type PricedUsage,
  type TextEmbedder,
} from '../../src/infrastructure/ai/ai.types.js';
import { decodeHalfvecText } from '../../src/infrastructure/ai/vectors.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { PipelineBench } from '../../src/modules/media/pipeline/testing/pipeline-bench.js';
import { makePhotograph, makeVideo } from '../../src/modules/media/pipeline/testing/test-media.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';

const USAGE: PricedUsage = {
  service: 'openai_embeddings',
  operation: 'embed_text',
  model: 'test',
  billingUnit: 'per_token',
  units: 1,
  amount: '0',
  currency: 'USD',
};

/** A model of any length: the vector points along the axis given by the text's length, so that it can be told again. */
class AxisEmbedder implements TextEmbedder {
  readonly batches: number[] = [];
  readonly model;
  constructor(
    name: string,
    dimensions: number,
    private readonly givenDimensions = dimensions,
  ) {
    this.model = { provider: 'test', name, version: 'v1', dimensions };
  }
  estimate(): PricedUsage {
    return USAGE;
  }
  async embed(texts: string[]) {
    this.batches.push(texts.length);
    const vectors = texts.map((text) => {
      const vector = new Float32Array(this.givenDimensions);
      vector[text.length % this.givenDimensions] = 1;
      return vector;
    });
    return { vectors, usage: USAGE };
  }
}

let folder: string;
let database: Database;
let photograph: string;
const benches: PipelineBench[] = [];

// A database of its own: which model is active concerns everybody in it.
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pipeline-models-spec-'));
  const { runtimeUrl } = await ownDatabaseUrls('pipeline_models');
  database = await connectTestDatabase({ url: runtimeUrl, poolMax: 3 });
  photograph = await makePhotograph(folder);
});

afterAll(async () => {
  for (const bench of benches) await bench.close();
  await database.end();
  await rm(folder, { recursive: true, force: true });
});

async function benchWith(textEmbedder: TextEmbedder): Promise<PipelineBench> {
  const bench = await PipelineBench.open(database, { textEmbedder });
  benches.push(bench);
  return bench;
}

interface StoredVector {
  modelId: number;
  vector: string;
  dimensions: number;
  bits: number;
  length: number;
}

function vectorsOf(bench: PipelineBench, userId: string, mediaFileId: string): Promise<StoredVector[]> {
  return bench.as(userId, () =>
    database.run(
      (tx) => tx.$queryRaw<StoredVector[]>`
        SELECT model_id AS "modelId", embedding::text AS vector, vector_dims(embedding) AS dimensions,
          bit_count(code)::int AS bits, length(source_text) AS length
        FROM media_embeddings WHERE media_file_id = ${mediaFileId}::uuid ORDER BY model_id, segment_type`,
    ),
  );
}

it.each([1536, 1024])(
  'C03: stores vectors of a model of %d dimensions, padded to 1536',
  async (dimensions) => {
    const embedder = new AxisEmbedder(`axis-${dimensions}`, dimensions);
    const bench = await benchWith(embedder);
    const modelId = await bench.activate(embedder.model);
    const user = await createUser(database);
    const id = await bench.upload(user.id, photograph);
    await bench.run('embedding_generation', user.id, id);
    const rows = await vectorsOf(bench, user.id, id);
    expect(rows).toMatchObject([{ modelId, dimensions: STORED_DIMENSIONS, bits: 1 }]);
    const row = rows[0] as StoredVector;
    const vector = decodeHalfvecText(row.vector);
    expect(vector.indexOf(1)).toBe(row.length % dimensions);
    expect(vector.filter((element) => element !== 0)).toHaveLength(1);
  },
);

it('keeps the vectors of another model, and replaces those of its own', async () => {
  const first = new AxisEmbedder('first', 1024);
  const second = new AxisEmbedder('second', 1536);
  const user = await createUser(database);
  const bench = await benchWith(first);
  const firstId = await bench.activate(first.model);
  const id = await bench.upload(user.id, photograph);
  await bench.run('embedding_generation', user.id, id);
  const next = await benchWith(second);
  const secondId = await next.activate(second.model);
  await next.run('embedding_generation', user.id, id);
  await next.run('embedding_generation', user.id, id);
  const rows = await vectorsOf(next, user.id, id);
  expect(rows.map(({ modelId }) => modelId).sort()).toEqual([firstId, secondId].sort());
});

it('does not spend anything when another model is active, or one of another length', async () => {
  const active = new AxisEmbedder('active', 1024);
  const user = await createUser(database);
  const bench = await benchWith(active);
  await bench.activate(active.model);
  const id = await bench.upload(user.id, photograph);
  for (const embedder of [new AxisEmbedder('other', 1024), new AxisEmbedder('active', 1536)]) {
    const other = await benchWith(embedder);
    await expect(other.run('embedding_generation', user.id, id)).rejects.toMatchObject({
      code: 'embedding-model-mismatch',
      retryable: false,
    });
    expect(embedder.batches).toEqual([]);
  }
  expect(await vectorsOf(bench, user.id, id)).toEqual([]);
});

describe('beside the active model', () => {
  const V2 = { provider: 'local', name: 'local-hash-embedding', version: 'v2', dimensions: 1024 };
  let bench: PipelineBench;
  let axis: AxisEmbedder;
  let activeId: number;
  let builtId: number;
  let user: { id: string };
  let id: string;

  beforeEach(async () => {
    axis = new AxisEmbedder(`beside-${benches.length}`, 1024);
    bench = await benchWith(axis);
    activeId = await bench.activate(axis.model);
    builtId = await database.runAsSystem('start-up', async (tx) => {
      const key = { provider: V2.provider, name: V2.name, version: V2.version };
      const row = await tx.embeddingModel.upsert({
        where: { provider_name_version: key },
        create: { ...V2, state: 'building' },
        update: { state: 'building' },
      });
      return row.id;
    });
    user = await createUser(database);
    id = await bench.upload(user.id, photograph);
  });
  afterEach(() =>
    database.runAsSystem('start-up', (tx) =>
      tx.embeddingModel.update({ where: { id: builtId }, data: { state: 'retired' } }),
    ),
  );
  const models = async (): Promise<number[]> =>
    (await vectorsOf(bench, user.id, id)).map(({ modelId }) => modelId).sort();

  it('embeds a new file with the one that is being built as well', async () => {
    const { data } = await bench.run('embedding_generation', user.id, id);
    expect(data).toMatchObject({ model: axis.model.name, models: 2 });
    expect(await models()).toEqual([activeId, builtId].sort());
    expect(bench.reindexed).toEqual([]);
  });

  it('removes stale vectors of one that fails, and has the file tried again; the active one is not concerned', async () => {
    await bench.run('embedding_generation', user.id, id);
    const built = bench.embedders.resolve(V2);
    const original = built.embed;
    built.embed = () => Promise.reject(new Error('out of order'));
    await bench.run('embedding_generation', user.id, id);
    expect(await models()).toEqual([activeId]);
    expect(bench.reindexed).toEqual([{ mediaFileId: id, modelIds: [builtId] }]);
    built.embed = original;
    const { data } = await bench.run('reindex', user.id, id, { config: { modelId: builtId } });
    expect(data).toEqual({ embeddings: 1, modelId: builtId });
    expect(await models()).toEqual([activeId, builtId].sort());
  });

  it('C47: re-embedding spends nothing on a file that has vectors, nor for a model that was given up', async () => {
    await bench.run('embedding_generation', user.id, id);
    const before = axis.batches.length;
    const again = await bench.run('reindex', user.id, id, { config: { modelId: activeId } });
    expect(again.data).toEqual({ embeddings: 0, modelId: activeId });
    const unknown = await bench.run('reindex', user.id, id, { config: { modelId: 31_000 } });
    expect(unknown.data).toMatchObject({ embeddings: 0 });
    expect(axis.batches).toHaveLength(before);
  });

  it('is done over when another model became active while the texts were embedded', async () => {
    const original = axis.embed.bind(axis);
    axis.embed = async (texts) => {
      const answer = await original(texts);
      await bench.activate({ ...V2, version: 'v1', dimensions: 1536 });
      return answer;
    };
    await expect(bench.run('embedding_generation', user.id, id)).rejects.toMatchObject({
      code: 'embedding-model-changed',
      retryable: true,
    });
    expect(await models()).toEqual([]);
  });
});

it('stores nothing when the provider gives vectors of another length than its model has', async () => {
  const embedder = new AxisEmbedder('liar', 1536, 768);
  const bench = await benchWith(embedder);
  await bench.activate(embedder.model);
  const user = await createUser(database);
  const id = await bench.upload(user.id, photograph);
  await expect(bench.run('embedding_generation', user.id, id)).rejects.toMatchObject({
    code: 'provider-bad-answer',
    retryable: true,
  });
  expect(await vectorsOf(bench, user.id, id)).toEqual([]);
});

it('embeds a long transcript in batches of at most 64 and stores at most 400 vectors', async () => {
  const embedder = new AxisEmbedder('batches', 1536);
  const bench = await benchWith(embedder);
  await bench.activate(embedder.model);
  const user = await createUser(database);
  const film = await makeVideo(folder, { subtitles: false });
  const cues = Array.from({ length: 900 }, (_, index) => {
    const at = (milliseconds: number): string => `00:00:${(milliseconds / 1000).toFixed(3).padStart(6, '0')}`;
    return `${at(index * 12)} --> ${at(index * 12 + 10)}\nLine ${index}`;
  });
  const id = await bench.upload(user.id, film, { subtitles: `WEBVTT\n\n${cues.join('\n\n')}\n` });
  const { data } = await bench.run('transcription', user.id, id);
  expect(data).toMatchObject({ cues: 900 });
  // Two hours' worth of lines, as the table would hold them for a film that nobody has to encode here.
  await bench.as(user.id, () =>
    database.run(async (tx) => {
      await tx.$executeRaw`UPDATE transcript_segments SET end_time_seconds = start_time_seconds * 650 + 7,
        start_time_seconds = start_time_seconds * 650 WHERE media_file_id = ${id}::uuid`;
      await tx.mediaFile.updateMany({ where: { userId: user.id, id }, data: { durationSeconds: 7200 } });
    }),
  );
  await bench.run('embedding_generation', user.id, id);
  const rows = await vectorsOf(bench, user.id, id);
  expect(rows.length).toBeGreaterThan(300);
  expect(rows.length).toBeLessThanOrEqual(400);
  expect(Math.max(...embedder.batches)).toBe(64);
  expect(embedder.batches.reduce((sum, size) => sum + size, 0)).toBe(rows.length);
  const [last] = await bench.as(user.id, () =>
    database.run(
      (tx) => tx.$queryRaw<{ ends: string }[]>`
        SELECT max(end_time_seconds)::text AS ends FROM media_embeddings WHERE media_file_id = ${id}::uuid`,
    ),
  );
  // Nothing of the end is left out.
  expect(Number(last?.ends)).toBeCloseTo(899 * 0.012 * 650 + 7, 2);
});
