import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectFileType, SUPPORTED_MIME_TYPES } from './file-type-detector.js';
import { sharp } from './sharp-setup.js';
import { rotatedHeic } from './testing/heic-fixture.js';
import { makeVideo, manyFramesGif, quarters } from './testing/make-media.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'detector-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

async function file(content: Buffer | string): Promise<string> {
  const path = join(folder, `upload-${Math.random().toString(36).slice(2)}`);
  await writeFile(path, content);
  return path;
}

describe('accepted types', () => {
  it.each([
    ['jpeg', 'image/jpeg', 'jpg'],
    ['png', 'image/png', 'png'],
    ['webp', 'image/webp', 'webp'],
    ['gif', 'image/gif', 'gif'],
    ['tiff', 'image/tiff', 'tif'],
    ['avif', 'image/avif', 'avif'],
  ] as const)('knows %s whatever the file is called', async (format, mimeType, extension) => {
    const picture = await sharp(await quarters(16, 16))
      .toFormat(format)
      .toBuffer();
    expect(await detectFileType(await file(picture))).toEqual({ fileType: 'image', mimeType, extension });
  });

  it('knows HEIC, also behind the generic brand', async () => {
    const heic = rotatedHeic();
    expect((await detectFileType(await file(heic))).mimeType).toBe('image/heic');
    const generic = Buffer.from(heic);
    generic.write('mif1', 8, 'latin1');
    // The compatible brands still name heic.
    expect((await detectFileType(await file(generic))).mimeType).toBe('image/heic');
    generic.write('mif1', 20, 'latin1');
    expect((await detectFileType(await file(generic))).mimeType).toBe('image/heif');
    generic.write('avif', 20, 'latin1');
    expect((await detectFileType(await file(generic))).mimeType).toBe('image/avif');
  });

  it.each([
    ['mp4', 'video/mp4', ['-c:v', 'libx264']],
    ['mov', 'video/quicktime', ['-c:v', 'libx264']],
    ['mkv', 'video/matroska', ['-c:v', 'libx264']],
    ['webm', 'video/webm', ['-c:v', 'libvpx']],
    ['avi', 'video/vnd.avi', ['-c:v', 'mpeg4']],
  ])('knows %s', async (extension, mimeType, codec) => {
    const path = join(folder, `video.${extension}`);
    await makeVideo('-f', 'lavfi', '-i', 'testsrc=size=32x32:rate=5:duration=0.4', ...codec, path);
    expect(await detectFileType(path)).toEqual({ fileType: 'video', mimeType, extension });
    expect(SUPPORTED_MIME_TYPES).toContain(mimeType);
  });
});

describe('refused files', () => {
  it('says that a file is empty', async () => {
    await expect(detectFileType(await file(''))).rejects.toMatchObject({ code: 'empty-file' });
  });

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>';
  it.each([
    ['SVG', svg],
    ['SVG with an XML declaration', `<?xml version="1.0"?>${svg}`],
    ['SVG in UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(svg, 'utf16le')])],
    ['HTML', '<!doctype html><html><body onload=alert(1)>'],
    ['text', 'just a few words'],
    ['an HLS playlist', '#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/secret.ts\n'],
    ['a concat list', "ffconcat version 1.0\nfile '/etc/passwd'\n"],
    ['a script with a GIF signature', 'GIF89a/*          */=1;alert(document.domain)'],
    ['a script with a GIF header', Buffer.from('GIF89a/*\u0000\u0000\u0000*/=1;alert(1)//', 'latin1')],
    ['a PDF', '%PDF-1.7\n%\u00e2\u00e3\n1 0 obj'],
    ['a ZIP', Buffer.from('504b0304140000000000', 'hex')],
    ['an MP3', Buffer.from('fffb90640000000000000000', 'hex')],
    ['random bytes', Buffer.from('00112233445566778899aabbccddeeff', 'hex')],
    ['a BMP', Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)])],
    ['an executable', Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(60)])],
  ])('refuses %s and says what is accepted', async (_, content) => {
    const path = await file(content);
    await expect(detectFileType(path)).rejects.toMatchObject({
      code: 'unsupported-media-type',
      message: expect.stringContaining(
        'Accepted are JPEG, PNG, WebP, GIF, AVIF, TIFF and HEIC/HEIF',
      ) as string,
    });
  });

  it('refuses a GIF that was cut off, but not one with many frames', async () => {
    const gif = await sharp(await quarters(64, 64))
      .gif()
      .toBuffer();
    await expect(detectFileType(await file(gif.subarray(0, 60)))).rejects.toMatchObject({
      code: 'unsupported-media-type',
    });
    expect((await detectFileType(await file(manyFramesGif(20)))).mimeType).toBe('image/gif');
  });

  it('hands on errors of the file system', async () => {
    await expect(detectFileType(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
