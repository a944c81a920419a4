import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ImageAnalyzer } from '../../src/infrastructure/ai/ai.types.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { PipelineBench, STEPS } from '../../src/modules/media/pipeline/testing/pipeline-bench.js';
import { stateOf, storedKeys, textHits } from '../../src/modules/media/pipeline/testing/pipeline-state.js';
import { readingAnalyzer } from '../../src/modules/media/pipeline/testing/reading-analyzer.js';
import { makePhotograph, makeVideo } from '../../src/modules/media/pipeline/testing/test-media.js';
import { createUser } from '../factories/users.js';
import { connectTestDatabase } from '../harness/database.js';

let folder: string;
let database: Database;
let bench: PipelineBench;
let photograph: string;
let video: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pipeline-spec-'));
  database = await connectTestDatabase();
  bench = await PipelineBench.open(database);
  await bench.activate(bench.providers.textEmbedder.model);
  photograph = await makePhotograph(folder);
  video = await makeVideo(folder);
});

afterAll(async () => {
  await bench.close();
  await database.end();
  await rm(folder, { recursive: true, force: true });
});

describe('what goes wrong', () => {
  it('says that the file is missing', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, photograph);
    await bench.storage.delete((await stateOf(bench, user, id)).media.s3Key);
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
    const { media } = await stateOf(bench, user, id);
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
      ...readingAnalyzer,
      analyze: async (input) => {
        await bench.as(user.id, () =>
          database.run((tx) =>
            tx.mediaFile.updateMany({ where: { userId: user.id }, data: { deletedAt: new Date() } }),
          ),
        );
        return readingAnalyzer.analyze(input);
      },
    };
    const slowBench = await PipelineBench.open(database, { imageAnalyzer: slow });
    const id = await slowBench.upload(user.id, photograph);
    await expect(slowBench.run('image_analysis', user.id, id)).rejects.toMatchObject({
      code: 'media-deleted',
    });
    expect((await stateOf(bench, user, id)).labels).toEqual([]);
    await slowBench.close();
  });

  it('stops when it is told to', async () => {
    const user = await createUser(database);
    const id = await bench.upload(user.id, video);
    const stop = new AbortController();
    const running = bench.run('video_analysis', user.id, id, { signal: stop.signal });
    void sleep(50).then(() => stop.abort());
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect((await stateOf(bench, user, id)).keyframes).toEqual([]);
  });
});

it('A8: a job in the name of one user does nothing to the file of another', async () => {
  const alice = await createUser(database);
  const bob = await createUser(database);
  const id = await bench.upload(alice.id, photograph);
  await bench.runAll('image', alice.id, id);
  const before = await stateOf(bench, alice, id);
  for (const step of new Set([...STEPS.image, ...STEPS.video])) {
    await expect(bench.run(step, bob.id, id)).rejects.toMatchObject({
      code: 'media-deleted',
      retryable: false,
    });
  }
  expect(await stateOf(bench, alice, id)).toEqual(before);
  expect(await storedKeys(bench, bob)).toEqual([]);
  expect(await textHits(bench, bob, 'lighthouse')).toEqual([]);
});
