import { Readable } from 'node:stream';
import express from 'express';
import request from 'supertest';
import type { AppError } from '../../../infrastructure/errors/app-error.js';
import { sendFile, type OutgoingFile } from './send-object.js';

const CONTENT = 'abcdefghijklmnopqrstuvwxyz';
const LAST_MODIFIED = new Date('2026-01-02T03:04:05.678Z');
const LAST_MODIFIED_TEXT = 'Fri, 02 Jan 2026 03:04:05 GMT';
const ETAG = '"the-etag"';

function serve(overrides: Partial<OutgoingFile> = {}): { app: express.Express; opened: () => number } {
  let opened = 0;
  const app = express();
  app.get('/file', (req, res, next) => {
    const file: OutgoingFile = {
      sizeBytes: CONTENT.length,
      mimeType: 'image/png',
      etag: ETAG,
      lastModified: LAST_MODIFIED,
      filename: 'picture.png',
      disposition: 'attachment',
      open: async (range) => {
        opened += 1;
        return Readable.from([Buffer.from(range ? CONTENT.slice(range.start, range.end + 1) : CONTENT)]);
      },
      ...overrides,
    };
    sendFile(req, res, file).catch(next);
  });
  app.use((error: AppError, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res
      .status(error.status ?? 500)
      .set(error.extra?.headers ?? {})
      .json({ code: error.code });
  });
  return { app, opened: () => opened };
}

const textOf = (response: request.Response): string => (response.body as Buffer).toString();

describe('sendFile', () => {
  it.each<[string, number, string, string | undefined]>([
    // range header, status, body, Content-Range
    ['bytes=0-0', 206, 'a', 'bytes 0-0/26'],
    ['bytes=2-5', 206, 'cdef', 'bytes 2-5/26'],
    ['bytes=20-', 206, 'uvwxyz', 'bytes 20-25/26'],
    ['bytes=-3', 206, 'xyz', 'bytes 23-25/26'],
    ['bytes=-100', 206, CONTENT, 'bytes 0-25/26'],
    ['bytes=20-999999', 206, 'uvwxyz', 'bytes 20-25/26'],
    ['bytes=25-25', 206, 'z', 'bytes 25-25/26'],
    ['bytes=0-1,4-5', 200, CONTENT, undefined],
    ['lines=1-2', 200, CONTENT, undefined],
    ['bytes', 200, CONTENT, undefined],
  ])('%s gives %i', async (range, status, body, contentRange) => {
    const response = await request(serve().app).get('/file').set('Range', range).buffer(true).parse(binary);
    expect(response.status).toBe(status);
    expect(textOf(response)).toBe(body);
    expect(response.headers['content-range']).toBe(contentRange);
    expect(response.headers['content-length']).toBe(String(body.length));
  });

  it.each(['bytes=26-', 'bytes=100-200', 'bytes=-0'])('%s lies outside: 416 with the size', async (range) => {
    const response = await request(serve().app).get('/file').set('Range', range);
    expect(response.status).toBe(416);
    expect(response.headers['content-range']).toBe('bytes */26');
    expect(response.body).toEqual({ code: 'range-not-satisfiable' });
  });

  it.each([
    [ETAG, 206],
    ['"another"', 200],
    [`W/${ETAG}`, 200],
    [LAST_MODIFIED_TEXT, 206],
    ['Fri, 02 Jan 2026 03:04:04 GMT', 200],
  ])('If-Range %s gives %i', async (condition, status) => {
    const response = await request(serve().app)
      .get('/file')
      .set('Range', 'bytes=0-1')
      .set('If-Range', condition);
    expect(response.status).toBe(status);
  });

  it.each([
    ['If-None-Match', ETAG, 304],
    ['If-None-Match', '"another"', 200],
    ['If-Modified-Since', LAST_MODIFIED_TEXT, 304],
    ['If-Modified-Since', 'Thu, 01 Jan 2026 00:00:00 GMT', 200],
  ])('%s: %s gives %i', async (header, value, status) => {
    const server = serve();
    const response = await request(server.app).get('/file').set(header, value);
    expect(response.status).toBe(status);
    expect(server.opened()).toBe(status === 200 ? 1 : 0);
  });

  it('answers HEAD with the headers of GET and opens nothing', async () => {
    const server = serve();
    const response = await request(server.app).head('/file');
    expect(response.status).toBe(200);
    expect(response.headers).toMatchObject({
      'content-length': '26',
      'content-type': 'image/png',
      etag: ETAG,
      'last-modified': LAST_MODIFIED_TEXT,
      'accept-ranges': 'bytes',
    });
    expect(server.opened()).toBe(0);
  });

  it('C13: nothing in a file can run', async () => {
    const response = await request(serve({ filename: 'page.html', mimeType: 'image/png' }).app).get('/file');
    expect(response.headers['content-type']).toBe('image/png');
    expect(response.headers['x-content-type-options']).toBe('nosniff');
    expect(response.headers['content-security-policy']).toMatch(/default-src 'none'.*sandbox/);
    expect(response.headers['content-disposition']).toMatch(/^attachment/);
  });

  it.each([
    ['plain.jpg', 'attachment; filename=plain.jpg'],
    ['写真.png', `attachment; filename="??.png"; filename*=UTF-8''%E5%86%99%E7%9C%9F.png`],
    ['a "quoted" name.jpg', 'attachment; filename="a \\"quoted\\" name.jpg"'],
    [
      'x\r\nSet-Cookie: a=b.jpg',
      `attachment; filename="x??Set-Cookie: a=b.jpg"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db.jpg`,
    ],
  ])('C15: the name %j travels as RFC 6266 has it', async (filename, header) => {
    const response = await request(serve({ filename }).app).get('/file');
    expect(response.headers['content-disposition']).toBe(header);
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  it('sends inline when asked to', async () => {
    const response = await request(serve({ disposition: 'inline' }).app).get('/file');
    expect(response.headers['content-disposition']).toBe('inline; filename=picture.png');
  });

  it('takes the headers of the file back when it cannot be opened', async () => {
    const server = serve({
      open: () => Promise.reject(Object.assign(new Error('gone'), { status: 404, code: 'file-missing' })),
    });
    const response = await request(server.app).get('/file').set('Range', 'bytes=0-3');
    expect(response.status).toBe(404);
    expect(response.body).toEqual({ code: 'file-missing' });
    expect(response.headers['content-range']).toBeUndefined();
    expect(response.headers['content-disposition']).toBeUndefined();
  });
});

function binary(response: request.Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  const stream = response as unknown as Readable;
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => done(null, Buffer.concat(chunks)));
}
