import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does to a request instead of answering it properly. */
export type S3Fault =
  | { status: number; code: string }
  /** Breaks the connection once this share of the body has arrived. */
  | { cutRequestAt: number }
  /** Announces the whole object and breaks the connection after this share of it. */
  | { cutResponseAt: number }
  /** Never answers. */
  | 'hang';

interface StoredBytes {
  data: Buffer;
  contentType: string;
}

/** S3 refuses smaller parts, except the last one. */
const MIN_PART_BYTES = 5 * 1024 * 1024;
const PAGE_KEYS = 3;

/**
 * A small S3-compatible store in memory for tests: GET with Range, HEAD, PUT, DELETE, ListObjectsV2 in pages of
 * three, multipart uploads; path-style addresses. It checks that requests are signed, not whether rightly so, and
 * refuses the chunked checksum uploads that many real stores do not take.
 */
export class S3TestServer {
  readonly objects = new Map<string, StoredBytes>();
  /** Uploads that were begun and neither completed nor aborted. */
  readonly openUploads = new Map<string, { key: string; contentType: string; parts: Map<number, Buffer> }>();
  /** `METHOD path?query` of every request, in order. */
  readonly requests: string[] = [];
  /** Called for each request; gives the fault to apply, if any. */
  fault: (method: string, url: URL) => S3Fault | undefined = () => undefined;
  private server: Server | undefined;

  constructor(readonly bucket = 'test-bucket') {}

  /** Starts on a free port of the loopback address and gives the endpoint URL. */
  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) =>
        sendError(response, 500, 'InternalError', String(error)),
      );
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    const url = new URL(request.url ?? '/', 'http://localhost');
    this.requests.push(`${method} ${url.pathname}${url.search}`);
    const fault = this.fault(method, url);
    if (fault === 'hang') return;

    const cutAt = typeof fault === 'object' && 'cutRequestAt' in fault ? fault.cutRequestAt : undefined;
    const body = await readBody(request, cutAt);
    if (!body) return;
    if (typeof fault === 'object' && 'status' in fault) return sendError(response, fault.status, fault.code);

    const signed =
      request.headers.authorization?.startsWith('AWS4-HMAC-SHA256') ||
      url.searchParams.has('X-Amz-Signature');
    if (!signed) return sendError(response, 403, 'AccessDenied');
    if (request.headers['content-encoding'] === 'aws-chunked')
      return sendError(response, 501, 'NotImplemented');

    const [, bucket = '', ...rest] = url.pathname.split('/');
    const key = decodeURIComponent(rest.join('/'));
    if (bucket !== this.bucket) return sendError(response, 404, 'NoSuchBucket');
    if (key === '') return method === 'HEAD' ? send(response, 200) : this.listObjects(url, response);

    const contentType = request.headers['content-type'] ?? 'binary/octet-stream';
    if (url.searchParams.has('uploads') || url.searchParams.has('uploadId')) {
      return this.multipart(method, url, key, contentType, body, response);
    }
    return this.single(method, key, contentType, body, request, response, fault);
  }

  private single(
    method: string,
    key: string,
    contentType: string,
    body: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
    fault: S3Fault | undefined,
  ): void {
    if (method === 'PUT') {
      this.objects.set(key, { data: body, contentType });
      return send(response, 200, '', { ETag: etag(body) });
    }
    if (method === 'DELETE') {
      this.objects.delete(key);
      return send(response, 204);
    }
    const found = this.objects.get(key);
    if (!found) return sendError(response, 404, 'NoSuchKey', '', method === 'HEAD');

    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const data = range ? found.data.subarray(Number(range[1]), Number(range[2]) + 1) : found.data;
    response.writeHead(range ? 206 : 200, {
      'Content-Type': found.contentType,
      'Content-Length': data.length,
      ETag: etag(found.data),
      ...(range ? { 'Content-Range': `bytes ${range[1]}-${range[2]}/${found.data.length}` } : {}),
    });
    if (method === 'HEAD') {
      response.end();
    } else if (typeof fault === 'object' && 'cutResponseAt' in fault) {
      response.write(data.subarray(0, Math.floor(data.length * fault.cutResponseAt)), () =>
        response.destroy(),
      );
    } else {
      response.end(data);
    }
  }

  private multipart(
    method: string,
    url: URL,
    key: string,
    contentType: string,
    body: Buffer,
    response: ServerResponse,
  ): void {
    if (method === 'POST' && url.searchParams.has('uploads')) {
      const uploadId = randomUUID();
      this.openUploads.set(uploadId, { key, contentType, parts: new Map() });
      const fields = `<Bucket>${this.bucket}</Bucket><Key>${key}</Key><UploadId>${uploadId}</UploadId>`;
      return send(response, 200, `<InitiateMultipartUploadResult>${fields}</InitiateMultipartUploadResult>`);
    }
    const uploadId = url.searchParams.get('uploadId') ?? '';
    const upload = this.openUploads.get(uploadId);
    if (!upload || upload.key !== key) return sendError(response, 404, 'NoSuchUpload');
    if (method === 'PUT') {
      upload.parts.set(Number(url.searchParams.get('partNumber')), body);
      return send(response, 200, '', { ETag: etag(body) });
    }
    this.openUploads.delete(uploadId);
    if (method === 'DELETE') return send(response, 204);

    const numbers = [...body.toString('utf8').matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map((match) =>
      Number(match[1]),
    );
    const parts = numbers.map((number) => upload.parts.get(number));
    if (parts.length === 0 || parts.includes(undefined)) return sendError(response, 400, 'InvalidPart');
    const data = parts as Buffer[];
    if (data.slice(0, -1).some((part) => part.length < MIN_PART_BYTES))
      return sendError(response, 400, 'EntityTooSmall');
    const whole = Buffer.concat(data);
    this.objects.set(key, { data: whole, contentType: upload.contentType });
    const fields = `<Bucket>${this.bucket}</Bucket><Key>${key}</Key><ETag>${etag(whole)}</ETag>`;
    send(response, 200, `<CompleteMultipartUploadResult>${fields}</CompleteMultipartUploadResult>`);
  }

  private listObjects(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get('prefix') ?? '';
    const after = url.searchParams.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, PAGE_KEYS);
    const truncated = keys.length > page.length;
    const contents = page.map((key) => {
      const size = this.objects.get(key)?.data.length ?? 0;
      return `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`;
    });
    const next = truncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    send(
      response,
      200,
      `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  }
}

/** The whole body, or undefined once the connection was cut at the given share of it. */
async function readBody(request: IncomingMessage, cutAt: number | undefined): Promise<Buffer | undefined> {
  const limit = cutAt === undefined ? Infinity : Number(request.headers['content-length'] ?? 0) * cutAt;
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    received += chunk.length;
    if (received >= limit) {
      request.socket.destroy();
      return undefined;
    }
  }
  return Buffer.concat(chunks);
}

function etag(data: Buffer): string {
  return `"${createHash('md5').update(data).digest('hex')}"`;
}

function send(
  response: ServerResponse,
  status: number,
  body = '',
  headers: Record<string, string> = {},
): void {
  const type = body === '' ? {} : { 'Content-Type': 'application/xml' };
  response.writeHead(status, { ...type, ...headers });
  response.end(body === '' ? undefined : `<?xml version="1.0" encoding="UTF-8"?>${body}`);
}

function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  message = '',
  withoutBody = false,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  send(
    response,
    status,
    withoutBody ? '' : `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}
