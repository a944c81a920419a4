import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { ProviderError, type ImageAnalyzer, type PricedUsage } from '../../src/infrastructure/ai/ai.types.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { PipelineBench, STEPS } from '../../src/modules/media/pipeline/testing/pipeline-bench.js';
import { makePhotograph, makeVideo, SUBTITLES } from '../../src/modules/media/pipeline/testing/test-media.js';
import { createUser, type TestUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';

const USAGE: PricedUsage = {
  service: 'local_analysis',
  operation: 'analyze_image',
  model: 'reader',
  billingUnit: 'per_request',
  units: 1,
  amount: '0',
  currency: 'USD',
};

/** Reads text, as Tesseract or a vision model would, whatever is installed on this machine. */
const reader: ImageAnalyzer = {
  modelName: 'reader',
  estimate: () => USAGE,
  analyze: async () => ({
    usage: { ...USAGE, referenceId: 'trace-1' },
    analysis: {
      labels: [
        { name: 'Lighthouse', confidence: 0.7, kind: 'object' },
        { name: 'lighthouse', confidence: 0.95, kind: 'object' },
        { name: 'blue', confidence: 0.5, kind: 'color' },
      ],
      text: ['OPEN DAILY', 'open daily', 'nul\u0000byte'],
      summary: 'A lighthouse by the sea.',
      facesCount: 2,
      contentWarnings: ['violence'],
      colors: [{ name: 'blue', hex: '#1E50C8', share: 0.5 }],
      perceptualHash: '00ff00ff00ff00ff',
      raw: { odd: 'a\u0000b', bad: Number.NaN },
    },
  }),
};

let folder: string;
let database: Database;
let bench: PipelineBench;
let readerBench: PipelineBench;
let photograph: string;
let video: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pipeline-spec-'));
  database = await connectTestDatabase();
  bench = await PipelineBench.open(database);
  readerBench = await PipelineBench.open(database, { imageAnalyzer: reader });
  await bench.activate(bench.providers.textEmbedder.model);
  [photograph, video] = await Promise.all([makePhotograph(folder), makeVideo(folder)]);
});

afterAll(async () => {
  await bench.close();
  await readerBench.close();
  await database.end();
  await rm(folder, { recursive: true, force: true });
});

/** All that the pipeline wrote about a file, without ids and times of writing, as its owner sees it. */
async function stateOf(user: TestUser, id: string) {
  return bench.as(user.id, () =>
    database.run(async (tx) => {
      const where = { userId: user.id, mediaFileId: id };
      const media = await tx.mediaFile.findFirstOrThrow({ where: { userId: user.id, id } });
      const { updatedAt: _, ...columns } = media;
      const embeddings = await tx.mediaEmbedding.findMany({
        where,
        orderBy: [{ segmentType: 'desc' }, { startTimeSeconds: 'asc' }],
        omit: { id: true, createdAt: true, updatedAt: true, analysisId: true },
      });
      return {
        media: columns,
        labels: await tx.mediaLabel.findMany({ where, orderBy: { label: 'asc' } }),
        categories: await tx.mediaCategory.findMany({
          where,
          select: { source: true, category: { select: { name: true } } },
        }),
        keyframes: await tx.keyframe.findMany({
          where,
          orderBy: { timestampSeconds: 'asc' },
          omit: { id: true, storageKey: true, createdAt: true },
        }),
        segments: await tx.transcriptSegment.findMany({
          where,
          orderBy: { startTimeSeconds: 'asc' },
          omit: { id: true, createdAt: true },
        }),
        clips: await tx.clip.findMany({
          where,
          orderBy: { rank: 'asc' },
          omit: { id: true, createdAt: true, updatedAt: true },
        }),
        embeddings: embeddings.map((row) => ({ ...row, modelId: 0 })),
      };
    }),
  );
}

async function versionsOf(user: TestUser, id: string): Promise<Record<string, number>> {
  const rows = await bench.as(user.id, () =>
    database.run((tx) => tx.analysis.findMany({ where: { userId: user.id, mediaFileId: id } })),
  );
  const versions: Record<string, number> = {};
  for (const { kind, version } of rows) versions[kind] = Math.max(versions[kind] ?? 0, version);
  return versions;
}

async function storedKeys(user: TestUser, storage = bench.storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(`tenant/${user.id}/`)) keys.push(key);
  return keys.sort();
}

async function textHits(user: TestUser, terms: string): Promise<string[]> {
  const rows = await bench.as(user.id, () =>
    database.run(
      (tx) => tx.$queryRaw<{ id: string }[]>`SELECT media_file_id AS id FROM search_documents(${terms}, 10)`,
    ),
  );
  return rows.map(({ id }) => id);
}

describe('a photograph', () => {
  it('is probed, seen, read, and found by its words', async () => {
    const user = await createUser(database, { subscriptionTier: 'premium' });
    const id = await readerBench.upload(user.id, photograph);
    await readerBench.runAll('image', user.id, id);
    const { media, labels, embeddings } = await stateOf(user, id);
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
      expect(await textHits(user, words)).toEqual([id]);

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
    const { media } = await stateOf(user, id);
    const names = (media.detectedLabels as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['blue', 'orange', 'landscape orientation']));
    expect(media.perceptualHash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('has a thumbnail that counts towards the storage', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, photograph);
    await bench.run('thumbnail', user.id, id);
    const { media } = await stateOf(user, id);
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
    const { media } = await stateOf(user, id);
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

  it('keeps the better summary when only its picture is looked at again', async () => {
    const user = await createUser(database);
    const id = await readerBench.upload(user.id, photograph);
    await readerBench.run('image_analysis', user.id, id);
    expect((await stateOf(user, id)).media.aiSummary).toBe('A lighthouse by the sea.');
    await readerBench.run('text_analysis', user.id, id);
    const { aiSummary } = (await stateOf(user, id)).media;
    await bench.as(user.id, () =>
      database.run((tx) =>
        tx.mediaFile.updateMany({ where: { userId: user.id, id }, data: { aiSummary: 'better' } }),
      ),
    );
    await readerBench.run('image_analysis', user.id, id);
    expect(aiSummary).toContain('lighthouse');
    expect((await stateOf(user, id)).media.aiSummary).toBe('better');
  });
});

describe('a video', () => {
  it('has key frames, a transcript with times, clips, and a vector for each moment', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, video);
    const results = await bench.runAll('video', user.id, id);
    const { media, keyframes, segments, clips, embeddings } = await stateOf(user, id);
    expect(media).toMatchObject({
      width: 320,
      height: 180,
      hasAudio: true,
      language: 'en',
      takenAt: new Date('2024-03-01T10:00:00Z'),
    });
    expect(Number(media.durationSeconds)).toBeCloseTo(12, 1);
    expect(Number(media.frameRate)).toBe(10);
    expect(media.transcriptionText).toContain('A wonderful storm rises over the island.');

    expect(results.transcription).toMatchObject({ cues: 3, source: 'subtitle-track' });
    expect(
      segments.map((row) => [Number(row.startTimeSeconds), Number(row.endTimeSeconds), row.text]),
    ).toEqual([
      [0.5, 3.25, 'The sailboat leaves the harbour at dawn.'],
      [4, 7.5, 'A wonderful storm rises over the island.'],
      [8, 11.75, 'At night the stars show the way home.'],
    ]);

    expect(keyframes.length).toBeGreaterThanOrEqual(3);
    const times = keyframes.map((row) => Number(row.timestampSeconds));
    // Each scene change is among them, exact to the frame.
    for (const change of [4, 8]) expect(times.some((time) => Math.abs(time - change) < 0.11)).toBe(true);
    expect(Math.max(...times)).toBeLessThanOrEqual(Number(media.durationSeconds));

    expect(clips.map(({ rank }) => rank)).toEqual(clips.map((_, index) => index + 1));
    expect(clips.length).toBeGreaterThanOrEqual(2);
    expect(clips[0]).toMatchObject({ status: 'scored' });

    expect(embeddings.map(({ segmentType }) => segmentType)).toEqual([
      ...keyframes.map(() => 'visual'),
      'full',
      'audio',
    ]);
    const audio = embeddings.find(({ segmentType }) => segmentType === 'audio');
    expect([Number(audio?.startTimeSeconds), Number(audio?.endTimeSeconds)]).toEqual([0.5, 11.75]);
    expect(await textHits(user, 'sailboat harbour')).toEqual([id]);
  });

  it('counts thumbnail and key frames as derivatives, whichever comes first, and keeps no picture of an earlier run', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, video);
    const bytesStored = async (): Promise<number> => {
      let sum = 0;
      for (const key of await storedKeys(user)) {
        if (!key.includes('original')) sum += (await bench.storage.head(key))?.sizeBytes ?? 0;
      }
      return sum;
    };
    await bench.run('video_analysis', user.id, id);
    await bench.run('thumbnail', user.id, id);
    expect(Number((await stateOf(user, id)).media.derivativeBytes)).toBe(await bytesStored());
    const before = await storedKeys(user);
    await bench.run('video_analysis', user.id, id);
    const { keyframes } = await stateOf(user, id);
    expect(await storedKeys(user)).toHaveLength(before.length + keyframes.length);
    const { data } = await bench.run('clip_scoring', user.id, id);
    expect(data['removedKeyframes']).toBe(keyframes.length);
    const after = await storedKeys(user);
    expect(after).toHaveLength(before.length);
    expect(after).not.toEqual(before);
    expect(Number((await stateOf(user, id)).media.derivativeBytes)).toBe(await bytesStored());
  });

  it('takes the subtitle file that came with it', async () => {
    const user = await createUser(database);
    const silent = await makeVideo(folder, { name: 'silent.mp4', subtitles: false });
    const id = await bench.upload(user.id, silent, { subtitles: SUBTITLES });
    const { data } = await bench.run('transcription', user.id, id);
    expect(data).toMatchObject({ cues: 3, source: 'sidecar' });
  });

  it('completes without words when there are none, and forgets those of an earlier run', async () => {
    const user = await createUser(database);
    const silent = await makeVideo(folder, { name: 'silent.mp4', subtitles: false });
    const id = await bench.upload(user.id, silent, { subtitles: SUBTITLES });
    await bench.run('transcription', user.id, id);
    const { media } = await stateOf(user, id);
    await bench.storage.delete(`${media.s3Key}.subtitles`);
    const { data } = await bench.run('transcription', user.id, id);
    expect(data).toMatchObject({ cues: 0 });
    expect(await stateOf(user, id)).toMatchObject({ segments: [], media: { transcriptionText: null } });
    expect(await versionsOf(user, id)).toEqual({ transcript: 1 });
  });

  it('goes on when a provider will not look at one key frame, and fails when it looks at none', async () => {
    const user = await createUser(database);
    const refusal = new ProviderError('provider-refused', 'declined', false, 'Nothing to do.');
    let calls = 0;
    const picky: ImageAnalyzer = {
      ...reader,
      analyze: async (input) => {
        calls += 1;
        if (calls === 2) throw refusal;
        return reader.analyze(input);
      },
    };
    const pickyBench = await PipelineBench.open(database, { imageAnalyzer: picky });
    const id = await pickyBench.upload(user.id, video);
    const { data } = await pickyBench.run('video_analysis', user.id, id);
    expect(data).toMatchObject({ refusedKeyframes: 1 });
    const { keyframes } = await stateOf(user, id);
    expect(keyframes.filter(({ description }) => description === null)).toHaveLength(1);
    await pickyBench.close();

    const blind: ImageAnalyzer = { ...reader, analyze: () => Promise.reject(refusal) };
    const blindBench = await PipelineBench.open(database, { imageAnalyzer: blind });
    const other = await blindBench.upload(
      user.id,
      await makeVideo(folder, { name: 'other.mp4', seconds: 3 }),
    );
    await expect(blindBench.run('video_analysis', user.id, other)).rejects.toMatchObject({
      code: 'provider-refused',
    });
    await blindBench.close();
  });
});

describe.each(['image', 'video'] as const)('run again, the jobs of one %s', (fileType) => {
  it('change nothing but the versions of its analyses', async () => {
    const user = await createUser(database, { subscriptionTier: 'ultimate' });
    const id = await bench.upload(user.id, fileType === 'image' ? photograph : video);
    await bench.runAll(fileType, user.id, id);
    const before = {
      state: await stateOf(user, id),
      versions: await versionsOf(user, id),
      keys: (await storedKeys(user)).length,
    };
    await bench.runAll(fileType, user.id, id);
    expect(await stateOf(user, id)).toEqual(before.state);
    expect((await storedKeys(user)).length).toBe(before.keys);
    const doubled = Object.fromEntries(
      Object.entries(before.versions).map(([kind, version]) => [kind, version + 1]),
    );
    expect(await versionsOf(user, id)).toEqual(doubled);
    expect(Object.keys(doubled).sort()).toEqual(
      fileType === 'image' ? ['image', 'text'] : ['text', 'transcript', 'video'],
    );
  });
});

describe('categories', () => {
  it('are suggested when they exist, and never instead of what the user chose', async () => {
    const user = await createUser(database);
    const id = await readerBench.upload(user.id, photograph, {
      title: 'Invoice 2026-0042, total amount due',
    });
    await readerBench.runAll('image', user.id, id);
    const suggested = (await stateOf(user, id)).categories;
    expect(suggested).toEqual([{ source: 'ai', category: { name: 'documents' } }]);

    await bench.as(user.id, () =>
      database.run(async (tx) => {
        const own = await tx.category.create({ data: { id: uuidv7(), userId: user.id, name: 'Taxes' } });
        await tx.mediaCategory.create({ data: { userId: user.id, mediaFileId: id, categoryId: own.id } });
      }),
    );
    await readerBench.run('text_analysis', user.id, id);
    expect((await stateOf(user, id)).categories).toEqual([{ source: 'user', category: { name: 'Taxes' } }]);
  });
});

describe('what goes wrong', () => {
  it('says that the file is missing', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, photograph);
    await bench.storage.delete((await stateOf(user, id)).media.s3Key);
    for (const step of ['media_probe', 'thumbnail', 'image_analysis'] as const) {
      await expect(bench.run(step, user.id, id)).rejects.toMatchObject({
        code: 'file-missing',
        retryable: false,
      });
    }
  });

  it('says that the stored file is damaged', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, photograph);
    const { media } = await stateOf(user, id);
    const stored = await bench.storage.localCopy(media.s3Key, folder);
    await truncate(stored, Math.floor(Number(media.fileSizeBytes) / 2));
    await expect(bench.run('media_probe', user.id, id)).rejects.toMatchObject({
      code: 'corrupt-media',
      retryable: false,
    });
  });

  it('writes nothing about a file that was deleted while a job ran', async () => {
    const user = await createUser(database);
    const slow: ImageAnalyzer = {
      ...reader,
      analyze: async (input) => {
        await bench.as(user.id, () =>
          database.run((tx) =>
            tx.mediaFile.updateMany({ where: { userId: user.id }, data: { deletedAt: new Date() } }),
          ),
        );
        return reader.analyze(input);
      },
    };
    const slowBench = await PipelineBench.open(database, { imageAnalyzer: slow });
    const id = await slowBench.upload(user.id, photograph);
    await expect(slowBench.run('image_analysis', user.id, id)).rejects.toMatchObject({
      code: 'media-deleted',
    });
    expect((await stateOf(user, id)).labels).toEqual([]);
    await slowBench.close();
  });

  it('stops when it is told to', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, video);
    const stop = new AbortController();
    const running = bench.run('video_analysis', user.id, id, { signal: stop.signal });
    void sleep(50).then(() => stop.abort());
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect((await stateOf(user, id)).keyframes).toEqual([]);
  });
});

it('A8: a job in the name of one user does nothing to the file of another', async () => {
  const alice = await createUser(database);
  const bob = await createUser(database);
  const id = await bench.upload(alice.id, photograph);
  await bench.runAll('image', alice.id, id);
  const before = await stateOf(alice, id);
  for (const step of new Set([...STEPS.image, ...STEPS.video])) {
    await expect(bench.run(step, bob.id, id)).rejects.toMatchObject({
      code: 'media-deleted',
      retryable: false,
    });
  }
  expect(await stateOf(alice, id)).toEqual(before);
  expect(await storedKeys(bob)).toEqual([]);
  expect(await textHits(bob, 'lighthouse')).toEqual([]);
});
