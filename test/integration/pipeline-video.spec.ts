import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ProviderError, type ImageAnalyzer } from '../../src/infrastructure/ai/ai.types.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { PipelineBench } from '../../src/modules/media/pipeline/testing/pipeline-bench.js';
import {
  stateOf,
  storedKeys,
  textHits,
  versionsOf,
} from '../../src/modules/media/pipeline/testing/pipeline-state.js';
import { readingAnalyzer } from '../../src/modules/media/pipeline/testing/reading-analyzer.js';
import { makeVideo, SUBTITLES } from '../../src/modules/media/pipeline/testing/test-media.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';

let folder: string;
let database: Database;
let bench: PipelineBench;
/** Much quicker than reading each key frame by OCR, where that is installed. */
let readerBench: PipelineBench;
let video: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pipeline-spec-'));
  database = await connectTestDatabase();
  bench = await PipelineBench.open(database);
  readerBench = await PipelineBench.open(database, { imageAnalyzer: readingAnalyzer });
  await bench.activate(bench.providers.textEmbedder.model);
  video = await makeVideo(folder);
});

afterAll(async () => {
  await bench.close();
  await readerBench.close();
  await database.end();
  await rm(folder, { recursive: true, force: true });
});

describe('a video', () => {
  it('has key frames, a transcript with times, clips, and a vector for each moment', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, video);
    const results = await bench.runAll('video', user.id, id);
    const { media, keyframes, segments, clips, embeddings } = await stateOf(bench, user, id);
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
    expect(await textHits(bench, user, 'sailboat harbour')).toEqual([id]);
  });

  it('counts thumbnail and key frames as derivatives, whichever comes first, and keeps no picture of an earlier run', async () => {
    const user = await createUser(database);
    const id = await readerBench.upload(user.id, video);
    const bytesStored = async (): Promise<number> => {
      let sum = 0;
      for (const key of await storedKeys(readerBench, user)) {
        if (!key.includes('original')) sum += (await readerBench.storage.head(key))?.sizeBytes ?? 0;
      }
      return sum;
    };
    await readerBench.run('video_analysis', user.id, id);
    await readerBench.run('thumbnail', user.id, id);
    expect(Number((await stateOf(readerBench, user, id)).media.derivativeBytes)).toBe(await bytesStored());
    const before = await storedKeys(readerBench, user);
    await readerBench.run('video_analysis', user.id, id);
    const { keyframes } = await stateOf(readerBench, user, id);
    expect(await storedKeys(readerBench, user)).toHaveLength(before.length + keyframes.length);
    const { data } = await readerBench.run('clip_scoring', user.id, id);
    expect(data['removedKeyframes']).toBe(keyframes.length);
    const after = await storedKeys(readerBench, user);
    expect(after).toHaveLength(before.length);
    expect(after).not.toEqual(before);
    expect(Number((await stateOf(readerBench, user, id)).media.derivativeBytes)).toBe(await bytesStored());
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
    const { media } = await stateOf(bench, user, id);
    await bench.storage.delete(`${media.s3Key}.subtitles`);
    const { data } = await bench.run('transcription', user.id, id);
    expect(data).toMatchObject({ cues: 0 });
    expect(await stateOf(bench, user, id)).toMatchObject({
      segments: [],
      media: { transcriptionText: null },
    });
    expect(await versionsOf(bench, user, id)).toEqual({ transcript: 1 });
  });

  it('goes on when a provider will not look at one key frame, and fails when it looks at none', async () => {
    const user = await createUser(database);
    const refusal = new ProviderError('provider-refused', 'declined', false, 'Nothing to do.');
    let calls = 0;
    const picky: ImageAnalyzer = {
      ...readingAnalyzer,
      analyze: async (input) => {
        calls += 1;
        if (calls === 2) throw refusal;
        return readingAnalyzer.analyze(input);
      },
    };
    const pickyBench = await PipelineBench.open(database, { imageAnalyzer: picky });
    const id = await pickyBench.upload(user.id, video);
    const { data } = await pickyBench.run('video_analysis', user.id, id);
    expect(data).toMatchObject({ refusedKeyframes: 1 });
    const { keyframes } = await stateOf(bench, user, id);
    expect(keyframes.filter(({ description }) => description === null)).toHaveLength(1);
    await pickyBench.close();

    const blind: ImageAnalyzer = { ...readingAnalyzer, analyze: () => Promise.reject(refusal) };
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

  it('changes nothing but the versions of its analyses when all its jobs run again', async () => {
    const user = await createUser(database, { subscriptionTier: 'ultimate' });
    const id = await readerBench.upload(user.id, video);
    await readerBench.runAll('video', user.id, id);
    const before = {
      state: await stateOf(readerBench, user, id),
      versions: await versionsOf(readerBench, user, id),
      keys: (await storedKeys(readerBench, user)).length,
    };
    await readerBench.runAll('video', user.id, id);
    expect(await stateOf(readerBench, user, id)).toEqual(before.state);
    expect((await storedKeys(readerBench, user)).length).toBe(before.keys);
    const doubled = Object.fromEntries(
      Object.entries(before.versions).map(([kind, version]) => [kind, version + 1]),
    );
    expect(await versionsOf(readerBench, user, id)).toEqual(doubled);
    expect(Object.keys(doubled).sort()).toEqual(['text', 'transcript', 'video']);
  });
});
