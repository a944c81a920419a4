import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { ImageTools } from './image-tools.js';
import { MediaTools } from './media-tools.js';
import { sharp } from './sharp-setup.js';
import { rotatedHeic } from './testing/heic-fixture.js';
import { CORNER_COLOURS, cornerColours, makeVideo, quarters } from './testing/make-media.js';

const tools = new MediaTools();
const unlimited = { maxVideoDurationSeconds: null };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'media-tools-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function saved(name: string, content: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('inspect', () => {
  it('accepts a picture under any name and says what it is', async () => {
    const path = await saved(
      'holiday.mp4',
      await sharp(await quarters(60, 40))
        .webp()
        .toBuffer(),
    );
    expect(await tools.inspect(path, unlimited)).toEqual({
      detected: { fileType: 'image', mimeType: 'image/webp', extension: 'webp' },
      probe: {
        fileType: 'image',
        mimeType: 'image/webp',
        width: 60,
        height: 40,
        orientation: 1,
        hasAlpha: false,
        frames: 1,
        exif: {},
      },
    });
  });

  it('accepts a video up to the limit of the plan', async () => {
    const path = join(folder, 'video.mp4');
    await makeVideo('-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=5:duration=4', '-c:v', 'libx264', path);
    const { detected, probe } = await tools.inspect(path, { maxVideoDurationSeconds: 4 });
    expect(detected.mimeType).toBe('video/mp4');
    expect(probe).toMatchObject({ fileType: 'video', width: 64, height: 48, durationSeconds: 4 });
    await expect(tools.inspect(path, { maxVideoDurationSeconds: 3 })).rejects.toMatchObject({
      code: 'video-too-long',
    });
  });

  it('refuses what is neither', async () => {
    const path = await saved('picture.jpg', Buffer.from('<html>'));
    await expect(tools.inspect(path, unlimited)).rejects.toMatchObject({ code: 'unsupported-media-type' });
  });

  it('keeps the order of work when cancelled while waiting', async () => {
    const one = new MediaTools({ maxConcurrentDecodes: 1 });
    const heic = await saved('a.heic', rotatedHeic());
    const controller = new AbortController();
    const first = one.inspect(heic, unlimited);
    const second = one.inspect(heic, unlimited, controller.signal);
    controller.abort(new Error('cancelled'));
    await expect(second).rejects.toThrow('cancelled');
    expect((await first).probe.width).toBe(128);
    expect((await one.inspect(heic, unlimited)).probe.width).toBe(128);
  });
});

describe('prepareImage', () => {
  it('makes the working copy and the thumbnail from one decode of a HEIC', async () => {
    const path = await saved('a.heic', rotatedHeic());
    const { detected } = await tools.inspect(path, unlimited);
    const { workingCopy, thumbnail } = await tools.prepareImage(path, detected, folder, { hasAlpha: false });
    expect(workingCopy).toEqual({
      path: join(folder, 'upright.jpg'),
      mimeType: 'image/jpeg',
      width: 128,
      height: 64,
    });
    expect(await cornerColours(workingCopy.path)).toEqual(CORNER_COLOURS);
    expect(await cornerColours(thumbnail.data)).toEqual(CORNER_COLOURS);
    expect((await readdir(folder)).sort()).toEqual(['a.heic', 'upright.jpg']);
  });

  it('keeps transparency in both', async () => {
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const picture = sharp({ create: { width: 40, height: 30, channels: 4, background: clear } });
    const path = await saved('a.png', await picture.png().toBuffer());
    const { detected } = await tools.inspect(path, unlimited);
    const { workingCopy, thumbnail } = await tools.prepareImage(path, detected, folder, { hasAlpha: true });
    expect(workingCopy.mimeType).toBe('image/png');
    for (const made of [workingCopy.path, thumbnail.data]) {
      expect((await sharp(made).stats()).channels[3]?.max).toBe(0);
    }
  });
});

describe('thumbnail', () => {
  it('is made of pictures and of videos', async () => {
    const picture = await saved('a.png', await quarters(1000, 500));
    const ofPicture = await tools.thumbnail(picture, await tools.inspect(picture, unlimited));
    expect(ofPicture).toMatchObject({ width: 512, height: 256 });
    const video = join(folder, 'video.mp4');
    await makeVideo('-f', 'lavfi', '-i', 'testsrc=size=640x320:rate=5:duration=1', '-c:v', 'libx264', video);
    const ofVideo = await tools.thumbnail(video, await tools.inspect(video, unlimited));
    expect(ofVideo).toMatchObject({ width: 512, height: 256 });
    expect((await sharp(ofVideo.data).metadata()).format).toBe('webp');
  });
});

describe('concurrency', () => {
  it('decodes at most as many files at a time as it is told', async () => {
    const slow = await saved('slow.heic', rotatedHeic());
    const quick = await saved('quick.png', await quarters(2, 2));
    const heic = { fileType: 'image' as const, mimeType: 'image/heic', extension: 'heic' };
    // The first one takes its place at once; the second one comes while it is at work.
    const orderOfEnds = async (maxConcurrentDecodes: number, onQuick: () => void = () => undefined) => {
      const limited = new MediaTools({ maxConcurrentDecodes });
      const ends: string[] = [];
      const first = limited.prepareImage(slow, heic, folder, { hasAlpha: false }).then(() => ends.push(slow));
      const second = limited.inspect(quick, unlimited).then(() => {
        ends.push(quick);
        onQuick();
      });
      await Promise.all([first, second]);
      return ends;
    };
    const quickEnded = Promise.withResolvers<void>();
    const { upright } = ImageTools.prototype;
    // At work until the other one is done: where that has to wait for it, neither ever ends.
    jest.spyOn(ImageTools.prototype, 'upright').mockImplementationOnce(async function (
      this: ImageTools,
      ...args
    ) {
      await quickEnded.promise;
      return upright.apply(this, args);
    });
    expect(await orderOfEnds(2, () => quickEnded.resolve())).toEqual([quick, slow]);
    jest.restoreAllMocks();
    expect(await orderOfEnds(1)).toEqual([slow, quick]);
  });
});
