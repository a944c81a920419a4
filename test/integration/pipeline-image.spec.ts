import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../src/infrastructure/database/database.js';
import { PipelineBench } from '../../src/modules/media/pipeline/testing/pipeline-bench.js';
import {
  stateOf,
  storedKeys,
  textHits,
  versionsOf,
} from '../../src/modules/media/pipeline/testing/pipeline-state.js';
import { readingAnalyzer } from '../../src/modules/media/pipeline/testing/reading-analyzer.js';
import { makePhotograph } from '../../src/modules/media/pipeline/testing/test-media.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';

let folder: string;
let database: Database;
let bench: PipelineBench;
let readerBench: PipelineBench;
let photograph: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pipeline-spec-'));
  database = await connectTestDatabase();
  bench = await PipelineBench.open(database);
  readerBench = await PipelineBench.open(database, { imageAnalyzer: readingAnalyzer });
  await bench.activate(bench.providers.textEmbedder.model);
  photograph = await makePhotograph(folder);
});

afterAll(async () => {
  await bench.close();
  await readerBench.close();
  await database.end();
  await rm(folder, { recursive: true, force: true });
});

describe('a photograph', () => {
  it('is probed, seen, read, and found by its words', async () => {
    const user = await createUser(database, { subscriptionTier: 'premium' });
    const id = await readerBench.upload(user.id, photograph);
    await readerBench.runAll('image', user.id, id);
    const { media, labels, embeddings } = await stateOf(bench, user, id);
    expect(media).toMatchObject({
      width: 640,
      height: 480,
      orientation: 6,
      hasAudio: false,
      takenAt: new Date('2008-05-30T15:56:01Z'),
      detectedText: ['OPEN DAILY', 'nulbyte'],
      detectedFacesCount: 2,
      contentWarnings: ['violence'],
      dominantColors: [{ name: 'blue', hex: '#1e50c8', share: 0.5 }],
      perceptualHash: '00ff00ff00ff00ff',
      sentiment: expect.stringMatching(/^(POSITIVE|NEGATIVE|NEUTRAL|MIXED)$/),
    });
    expect(media.exif).toMatchObject({
      cameraModel: 'Canon EOS 40D',
      description: 'Grandmother at the lighthouse',
    });
    expect((media.exif as { latitude: number }).latitude).toBeCloseTo(43.4672, 3);
    expect(media.aiSummary).toBeTruthy();

    expect(labels.find(({ label }) => label === 'lighthouse')).toMatchObject({ kind: 'object' });
    expect(media.detectedLabels).toEqual(
      expect.arrayContaining([{ name: 'lighthouse', confidence: 0.95, kind: 'object' }]),
    );
    expect(media.detectedLabels).toHaveLength(labels.length);

    expect(embeddings).toHaveLength(1);
    expect(embeddings[0]).toMatchObject({
      segmentType: 'full',
      isPrimary: true,
      startTimeSeconds: null,
      sourceQuality: 'high',
    });
    expect(embeddings[0]?.sourceText).toContain('beach House');
    expect(embeddings[0]?.sourceText).toContain('Grandmother at the lighthouse');

    for (const words of ['lighthouse', 'open daily', 'beach house'])
      expect(await textHits(bench, user, words)).toEqual([id]);

    const analysis = await bench.as(user.id, () =>
      database.run((tx) =>
        tx.analysis.findFirstOrThrow({ where: { userId: user.id, mediaFileId: id, kind: 'image' } }),
      ),
    );
    expect(analysis).toMatchObject({ version: 1, modelUsed: 'reader', traceId: 'trace-1' });
    expect(analysis.rawResponse).toMatchObject({ provider: { odd: 'ab', bad: null } });
  });

  it('is seen upright with its own colours by the local analysis', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, photograph);
    await bench.runAll('image', user.id, id);
    const { media } = await stateOf(bench, user, id);
    const names = (media.detectedLabels as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['blue', 'orange', 'landscape orientation']));
    expect(media.perceptualHash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('has a thumbnail that counts towards the storage', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, photograph);
    await bench.run('thumbnail', user.id, id);
    const { media } = await stateOf(bench, user, id);
    const stored = await bench.storage.head(media.thumbnailS3Key ?? '');
    expect(stored?.sizeBytes).toBe(Number(media.derivativeBytes));
    const owner = await bench.as(user.id, () =>
      database.run((tx) => tx.user.findUniqueOrThrow({ where: { id: user.id } })),
    );
    expect(owner.storageUsedBytes).toBe(media.fileSizeBytes + media.derivativeBytes);
  });

  it('keeps no warnings and no count of faces on a plan that does not include them', async () => {
    const user = await createUser(database);
    const id = await readerBench.upload(user.id, photograph);
    await readerBench.run('image_analysis', user.id, id);
    const { media } = await stateOf(bench, user, id);
    expect(media).toMatchObject({
      contentWarnings: [],
      detectedFacesCount: 0,
      detectedText: ['OPEN DAILY', 'nulbyte'],
    });
    const analysis = await bench.as(user.id, () =>
      database.run((tx) => tx.analysis.findFirstOrThrow({ where: { userId: user.id } })),
    );
    expect(analysis.rawResponse).toMatchObject({ contentWarnings: [], facesCount: 0 });
  });

  it('is warned of for its picture and its words, whichever was looked at last', async () => {
    const user = await createUser(database, { subscriptionTier: 'premium' });
    const id = await readerBench.upload(user.id, photograph, { title: 'Heroin and cocaine' });
    for (const step of ['image_analysis', 'text_analysis', 'image_analysis'] as const) {
      await readerBench.run(step, user.id, id);
    }
    expect((await stateOf(bench, user, id)).media.contentWarnings.sort()).toEqual(['drugs', 'violence']);
  });

  it('keeps the better summary when only its picture is looked at again', async () => {
    const user = await createUser(database);
    const id = await readerBench.upload(user.id, photograph);
    await readerBench.run('image_analysis', user.id, id);
    expect((await stateOf(bench, user, id)).media.aiSummary).toBe('A lighthouse by the sea.');
    await readerBench.run('text_analysis', user.id, id);
    const { aiSummary } = (await stateOf(bench, user, id)).media;
    await bench.as(user.id, () =>
      database.run((tx) =>
        tx.mediaFile.updateMany({ where: { userId: user.id, id }, data: { aiSummary: 'better' } }),
      ),
    );
    await readerBench.run('image_analysis', user.id, id);
    expect(aiSummary).toContain('lighthouse');
    expect((await stateOf(bench, user, id)).media.aiSummary).toBe('better');
  });

  it('changes nothing but the versions of its analyses when all its jobs run again', async () => {
    const user = await createUser(database, { subscriptionTier: 'ultimate' });
    const id = await bench.upload(user.id, photograph);
    await bench.runAll('image', user.id, id);
    const before = {
      state: await stateOf(bench, user, id),
      versions: await versionsOf(bench, user, id),
      keys: (await storedKeys(bench, user)).length,
    };
    await bench.runAll('image', user.id, id);
    expect(await stateOf(bench, user, id)).toEqual(before.state);
    expect((await storedKeys(bench, user)).length).toBe(before.keys);
    const doubled = Object.fromEntries(
      Object.entries(before.versions).map(([kind, version]) => [kind, version + 1]),
    );
    expect(await versionsOf(bench, user, id)).toEqual(doubled);
    expect(Object.keys(doubled).sort()).toEqual(['image', 'text']);
  });
});

describe('categories', () => {
  it('are suggested when they exist, and never instead of what the user chose', async () => {
    const user = await createUser(database);
    const id = await readerBench.upload(user.id, photograph, {
      title: 'Invoice 2026-0042, total amount due',
    });
    await readerBench.runAll('image', user.id, id);
    const suggested = (await stateOf(bench, user, id)).categories;
    expect(suggested).toEqual([{ source: 'ai', category: { name: 'documents' } }]);

    await bench.as(user.id, () =>
      database.run(async (tx) => {
        const own = await tx.category.create({ data: { id: uuidv7(), userId: user.id, name: 'Taxes' } });
        await tx.mediaCategory.create({ data: { userId: user.id, mediaFileId: id, categoryId: own.id } });
      }),
    );
    await readerBench.run('text_analysis', user.id, id);
    expect((await stateOf(bench, user, id)).categories).toEqual([
      { source: 'user', category: { name: 'Taxes' } },
    ]);
  });
});
