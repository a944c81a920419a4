import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import type { AppError } from '../../../infrastructure/errors/app-error.js';
import { receiveForm, type ReceivedForm } from './multipart.js';
import { refuseRestOfBody } from '../../../infrastructure/http/refuse-body.js';

const BOUNDARY = 'test-boundary';
let stagingDir: string;
let server: http.Server;
let port: number;
let outcomes: (ReceivedForm | AppError)[];
let bytesRead = 0;
const maxFileSizeBytes = 1_000_000;
/** Far more than any pause of a busy machine; the test of stalled uploads has its own. */
const PATIENT_MS = 30_000;
let stallTimeoutMs = PATIENT_MS;

beforeAll(async () => {
  stagingDir = await mkdtemp(path.join(os.tmpdir(), 'multipart-'));
  const app = express();
  app.post('/', (req, res) => {
    const staged: string[] = [];
    receiveForm(req, { stagingDir, maxFileSizeBytes, stallTimeoutMs }, staged)
      .then(
        (form) => {
          outcomes.push(form);
          res.json({ ok: true });
        },
        async (error: AppError) => {
          refuseRestOfBody(req, res);
          bytesRead = req.socket.bytesRead;
          await Promise.all(staged.map((file) => rm(file, { force: true })));
          outcomes.push(error);
          res.status(error.status ?? 500).json({ code: error.code, errors: error.extra?.errors });
        },
      )
      .catch(() => undefined);
  });
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(stagingDir, { recursive: true, force: true });
});

beforeEach(() => {
  stallTimeoutMs = PATIENT_MS;
  outcomes = [];
});

afterEach(async () => {
  for (const outcome of outcomes) {
    if ('file' in outcome) await rm(outcome.file.path);
    if ('subtitles' in outcome && outcome.subtitles) await rm(outcome.subtitles.path);
  }
  expect(await readdir(stagingDir)).toEqual([]);
});

const part = (disposition: string, content: Buffer | string): Buffer =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const END = Buffer.from(`--${BOUNDARY}--\r\n`);

/** Sends a body as it is; chunked when `chunked`, so without Content-Length. */
function send(
  body: Buffer | Buffer[],
  options: { chunked?: boolean; contentType?: string } = {},
): Promise<{
  status: number;
  body: { code?: string; errors?: { pointer: string; detail: string }[] };
  headers: http.IncomingHttpHeaders;
}> {
  const chunks = Array.isArray(body) ? body : [body];
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        agent: false,
        headers: {
          'Content-Type': options.contentType ?? `multipart/form-data; boundary=${BOUNDARY}`,
          ...(options.chunked
            ? {}
            : { 'Content-Length': chunks.reduce((sum, chunk) => sum + chunk.length, 0) }),
        },
      },
      (incoming) => {
        const answer: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => answer.push(chunk));
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(answer).toString()) as never,
            headers: incoming.headers,
          }),
        );
      },
    );
    outgoing.on('error', reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

describe('receiveForm', () => {
  it('stores the file as it was sent and hands out the fields in order', async () => {
    const content = randomBytes(300_000);
    const answer = await send([
      part('name="title"', 'Füße'),
      part('name="file"; filename="Füße am Strand.jpg"', content),
      part('name="tags"', 'sea'),
      part('name="tags"', 'sun'),
      END,
    ]);
    expect(answer.status).toBe(200);
    const [form] = outcomes as [ReceivedForm];
    expect(form.fields).toEqual([
      ['title', 'Füße'],
      ['tags', 'sea'],
      ['tags', 'sun'],
    ]);
    expect(form.file).toMatchObject({
      originalFilename: 'Füße am Strand.jpg',
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(path.dirname(form.file.path)).toBe(stagingDir);
    expect((await readFile(form.file.path)).equals(content)).toBe(true);
  });

  it('reads RFC 5987 names and an empty file', async () => {
    await send([part(`name="file"; filename="x"; filename*=UTF-8''%E5%86%99%E7%9C%9F.png`, ''), END]);
    expect(outcomes[0]).toMatchObject({ file: { originalFilename: '写真.png', sizeBytes: 0 } });
  });

  it('takes a subtitle file beside the video', async () => {
    await send([
      part('name="subtitles"; filename="a.srt"', '1\n00:00:01,000 --> 00:00:02,000\nhello'),
      part('name="file"; filename="a.mp4"', 'video'),
      END,
    ]);
    expect(outcomes[0]).toMatchObject({ subtitles: { originalFilename: 'a.srt', sizeBytes: 37 } });
  });

  it('accepts a file of exactly the limit', async () => {
    const answer = await send([part('name="file"; filename="a"', Buffer.alloc(maxFileSizeBytes)), END]);
    expect(answer.status).toBe(200);
  });

  it.each([
    ['announced by Content-Length', false],
    ['chunked, without Content-Length', true],
  ])('C16: one byte more than the limit is 413, %s', async (_how, chunked) => {
    const answer = await send([part('name="file"; filename="a"', Buffer.alloc(maxFileSizeBytes + 1)), END], {
      chunked,
    });
    expect(answer.status).toBe(413);
    expect(answer.body.code).toBe('payload-too-large');
    expect(answer.headers.connection).toBe('close');
  });

  it('C16: a body far above the limit is refused by its Content-Length before it is read', async () => {
    const answer = await send([part('name="file"; filename="a"', Buffer.alloc(20 * maxFileSizeBytes)), END]);
    expect(answer.status).toBe(413);
    expect(bytesRead).toBeLessThan(200_000);
  });

  it('C16: an endless chunked body is read to just above the limit, and the client still gets its answer', async () => {
    const chunk = Buffer.alloc(64 * 1024);
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    let answer = '';
    let sent = 0;
    let ended = false;
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('end', () => (ended = true));
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\n\r\n`,
    );
    const write = (data: Buffer): boolean =>
      socket.write(
        Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]),
      );
    write(Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`));
    for (const deadline = Date.now() + 20_000; !ended && Date.now() < deadline;) {
      if (sent < 200_000_000 && socket.writableLength < 1_000_000) {
        write(chunk);
        sent += chunk.length;
        await new Promise((resolve) => setImmediate(resolve));
      } else await sleep(10);
    }
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(bytesRead).toBeLessThan(maxFileSizeBytes + 500_000);
  });

  it.each<[string, Buffer[], string, string]>([
    ['no file', [part('name="title"', 'x'), END], '/file', 'file must be sent: the file to upload'],
    [
      'two files',
      [part('name="file"; filename="a"', 'a'), part('name="file"; filename="b"', 'b'), END],
      '/file',
      'file must be sent once: one file per upload',
    ],
    [
      'a file in another part',
      [part('name="avatar"; filename="a"', 'a'), END],
      '/file',
      'file files are accepted in the parts "file" and "subtitles" only',
    ],
    [
      'a file part without a file name',
      [part('name="file"', 'a'), END],
      '/file',
      'file must be a file: send it with a file name',
    ],
    [
      'ten thousand parts',
      [...Array.from({ length: 10_000 }, (_, index) => part('name="tags"', `t${index}`)), END],
      '/',
      'the form has too many parts',
    ],
    [
      'a huge text field',
      [part('name="title"', 'x'.repeat(70_000)), END],
      '/',
      'a text field may hold 65536 bytes at most',
    ],
  ])('refuses %s', async (_what, body, pointer, detail) => {
    const answer = await send(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ code: 'validation-failed', errors: [{ pointer, detail }] });
  });

  it.each([
    ['no boundary', 'multipart/form-data', 400, 'malformed-multipart'],
    ['JSON', 'application/json', 415, 'unsupported-media-type'],
    ['nothing', '', 415, 'unsupported-media-type'],
  ])('refuses a body of type %s', async (_what, contentType, status, code) => {
    const answer = await send(Buffer.from('{}'), { contentType });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('refuses a form that ends in the middle', async () => {
    const answer = await send([part('name="file"; filename="a"', 'abc')]);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed-multipart']);
  });

  it('leaves nothing behind when the client goes away', async () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\n\r\n` +
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${'x'.repeat(200_000)}`,
    );
    for (let waited = 0; waited < 20_000 && (await readdir(stagingDir)).length === 0; waited += 20)
      await sleep(20);
    expect(await readdir(stagingDir)).toHaveLength(1);
    socket.destroy();
    for (let waited = 0; waited < 20_000 && outcomes.length === 0; waited += 20) await sleep(20);
    expect(outcomes[0]).toMatchObject({ status: 400, code: 'request-aborted' });
  });

  it('C16: gives a stalled upload up', async () => {
    stallTimeoutMs = 700;
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\n\r\n` +
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxyz`,
    );
    for (let waited = 0; waited < 20_000 && answer === ''; waited += 20) await sleep(20);
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});
