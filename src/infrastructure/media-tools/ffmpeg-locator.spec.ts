import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findOnPath, locateFfmpeg } from './ffmpeg-locator.js';

const originalPath = process.env['PATH'];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'locator-'));
});
afterEach(async () => {
  process.env['PATH'] = originalPath;
  await rm(folder, { recursive: true, force: true });
});

describe('locateFfmpeg', () => {
  it('falls back to the binaries inside the npm packages and says so', async () => {
    process.env['PATH'] = folder;
    const { ffmpeg, ffprobe } = await locateFfmpeg({});
    expect(ffmpeg).toMatchObject({
      source: 'bundled',
      version: expect.stringMatching(/^ffmpeg version/) as string,
    });
    expect(ffprobe).toMatchObject({
      source: 'bundled',
      version: expect.stringMatching(/^ffprobe version/) as string,
    });
  });

  it('prefers the PATH, and a configured path to both', async () => {
    process.env['PATH'] = folder;
    const bundled = await locateFfmpeg({});
    await symlink(bundled.ffmpeg.path, join(folder, 'ffmpeg'));
    await symlink(bundled.ffprobe.path, join(folder, 'ffprobe'));
    expect(await locateFfmpeg({})).toMatchObject({ ffmpeg: { source: 'path' }, ffprobe: { source: 'path' } });
    expect(await locateFfmpeg({ ffmpegPath: bundled.ffmpeg.path })).toMatchObject({
      ffmpeg: { source: 'configured', path: bundled.ffmpeg.path },
      ffprobe: { source: 'path' },
    });
  });

  it('passes over a program on the PATH that does not run', async () => {
    await writeFile(join(folder, 'ffmpeg'), '#!/bin/sh\nexit 1\n');
    await chmod(join(folder, 'ffmpeg'), 0o755);
    process.env['PATH'] = `${folder}${delimiter}/bin`;
    expect((await locateFfmpeg({})).ffmpeg.source).toBe('bundled');
  });

  it('refuses a configured path that does not run instead of taking another', async () => {
    await expect(locateFfmpeg({ ffprobePath: join(folder, 'nothing') })).rejects.toThrow(
      /^FFPROBE_PATH points to/,
    );
  });
});

describe('findOnPath', () => {
  it('takes the first executable file and skips others', async () => {
    process.env['PATH'] = `${delimiter}${folder}`;
    expect(findOnPath('tool')).toBeUndefined();
    await writeFile(join(folder, 'tool'), '');
    expect(findOnPath('tool')).toBeUndefined();
    await chmod(join(folder, 'tool'), 0o755);
    expect(findOnPath('tool')).toBe(join(folder, 'tool'));
  });
});
