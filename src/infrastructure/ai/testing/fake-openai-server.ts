import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalTextEmbedder } from '../local/local-text-embedder.js';

/** Ways in which the fake server misbehaves. */
export type FakeFault =
  // HTTP
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'bad-request'
  | 'content-policy'
  | 'rate-limited'
  | 'quota-exhausted'
  | 'server-error'
  | 'overloaded'
  | 'redirect'
  // Connection
  | 'hang'
  | 'hang-in-body'
  | 'reset'
  // Body
  | 'garbage-json'
  | 'html'
  | 'wrong-schema'
  | 'missing-usage'
  | 'bogus-usage'
  | 'negative-usage'
  // Chat
  | 'garbage-content'
  | 'wrong-content'
  | 'refusal'
  | 'content-filter'
  | 'cut-short'
  // Embeddings
  | 'nan-vector'
  | 'infinite-vector'
  | 'zero-vector'
  | 'wrong-dimensions'
  | 'missing-vector'
  | 'doubled-index';

export interface RecordedRequest {
  path: string;
  authorization: string | undefined;
  /** The JSON body, or the fields of a form; files as `{ name, bytes }`. */
  body: Record<string, unknown>;
}

/** What the server itself has counted for one request that it answered in full. */
export interface BilledCall {
  model: string;
  inputTokens: number;
  outputTokens: number;
  seconds: number;
}

/** What a chat question holds, for the answers that tests give. */
export interface FakeChatRequest {
  schemaName: string;
  text: string;
  imageUrls: string[];
}

/** The `verbose_json` answer for the next pieces of audio. */
export interface FakeTranscript {
  language?: string;
  duration?: number;
  text?: string;
  segments?: { start: number; end: number; text: string; no_speech_prob?: number; avg_logprob?: number }[];
}

interface FakeAnswer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
  billed?: BilledCall;
}

/**
 * A small OpenAI-compatible server on loopback, for tests and benchmarks: embeddings, chat completions and audio
 * transcriptions. Answers are deterministic; faults can be switched on; it keeps its own count of what it would bill.
 */
export class FakeOpenAiServer {
  readonly requests: RecordedRequest[] = [];
  readonly billed: BilledCall[] = [];
  /** Gives the JSON object of a chat answer; may return anything, to test what callers do with it. */
  onChat: (request: FakeChatRequest) => unknown = defaultChatAnswer;
  transcript: FakeTranscript = {
    language: 'english',
    duration: 4,
    segments: [
      { start: 0, end: 2, text: ' Hello from the harbour.' },
      { start: 2, end: 4, text: ' The boats come back at noon.' },
    ],
  };
  /** Puts the JSON of chat answers into a Markdown code block, as some servers do. */
  fencesJson = false;
  /** Waits this long before each answer. */
  latencyMilliseconds = 0;
  private fault: FakeFault | null = null;
  private faultsLeft = 0;
  private soundLeft = 0;
  private readonly embedder = new LocalTextEmbedder();

  private constructor(private readonly server: Server) {}

  /** Listens on a free port of 127.0.0.1. */
  static async start(): Promise<FakeOpenAiServer> {
    // Never closes idle connections by itself: a busy machine would see a reset that no test asked for.
    const server = createServer({ keepAliveTimeout: 0 });
    const fake = new FakeOpenAiServer(server);
    server.on('request', (request, response) => {
      fake.handle(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return fake;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Makes `times` requests fail in this way, after the next `soundBefore` have succeeded; null ends it. */
  setFault(fault: FakeFault | null, times = Infinity, soundBefore = 0): void {
    this.fault = fault;
    this.faultsLeft = fault === null ? 0 : times;
    this.soundLeft = soundBefore;
  }

  /** Forgets requests, bills and faults. */
  reset(): void {
    this.requests.length = 0;
    this.billed.length = 0;
    this.setFault(null);
    this.onChat = defaultChatAnswer;
    this.latencyMilliseconds = 0;
    this.fencesJson = false;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = await readBody(Buffer.concat(chunks), request.headers['content-type'] ?? '');
    const path = request.url ?? '';
    this.requests.push({ path, authorization: request.headers.authorization, body });
    const fault = this.takeFault();
    if (this.latencyMilliseconds > 0) await new Promise((done) => setTimeout(done, this.latencyMilliseconds));
    if (fault === 'hang') return;
    if (fault === 'reset') {
      request.socket.destroy();
      return;
    }
    const answer = httpFault(fault) ?? (await this.answer(path, body, fault));
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'x-request-id': `req_${randomUUID()}`,
      ...answer.headers,
    });
    if (fault === 'hang-in-body') {
      response.write(text.slice(0, text.length / 2));
      return;
    }
    // Booked before the last byte leaves: whoever has the answer finds the bill.
    if (answer.billed !== undefined) this.billed.push(answer.billed);
    response.end(text);
  }

  private takeFault(): FakeFault | null {
    if (this.faultsLeft <= 0 || this.soundLeft-- > 0) return null;
    this.faultsLeft--;
    return this.fault;
  }

  private async answer(
    path: string,
    body: Record<string, unknown>,
    fault: FakeFault | null,
  ): Promise<FakeAnswer> {
    if (path.endsWith('/embeddings')) return this.embeddings(body, fault);
    if (path.endsWith('/chat/completions')) return this.chat(body, fault);
    if (path.endsWith('/audio/transcriptions')) return this.transcription(body, fault);
    return { status: 404, body: { error: { message: 'no such path', type: 'invalid_request_error' } } };
  }

  private async embeddings(body: Record<string, unknown>, fault: FakeFault | null): Promise<FakeAnswer> {
    const texts = body['input'] as string[];
    const dimensions = (body['dimensions'] as number | undefined) ?? 1536;
    const { vectors } = await this.embedder.embed(texts);
    let data: Record<string, unknown>[] = vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      // Not normalised, as some servers answer.
      embedding: [...vector.subarray(0, fault === 'wrong-dimensions' ? dimensions - 1 : dimensions)].map(
        (element) => 3 * element,
      ),
    }));
    const first = data[0];
    if (fault === 'missing-vector') data = data.slice(1);
    if (fault === 'nan-vector' && first) first['embedding'] = Array.from({ length: dimensions }, () => null);
    if (fault === 'zero-vector' && first) first['embedding'] = Array.from({ length: dimensions }, () => 0);
    if (fault === 'doubled-index') data.forEach((item) => (item['index'] = 0));
    // The order of the list is not the order of the texts.
    data.reverse();
    const inputTokens = tokensOf(texts.join(' '));
    const model = String(body['model']);
    const answer = {
      object: 'list',
      model,
      data,
      ...usageOf(fault, { prompt_tokens: inputTokens, total_tokens: inputTokens }),
    };
    // 1e999 reads as infinity, and no JavaScript writes it.
    const text = JSON.stringify(answer);
    const bodyText =
      fault === 'infinite-vector' ? text.replace(/"embedding":\[[^,]+/, '"embedding":[1e999') : text;
    return { status: 200, body: bodyText, billed: { model, inputTokens, outputTokens: 0, seconds: 0 } };
  }

  private chat(body: Record<string, unknown>, fault: FakeFault | null): FakeAnswer {
    const request = chatRequestOf(body);
    const json = JSON.stringify(
      fault === 'wrong-content' ? { summary: 7, labels: 'none' } : this.onChat(request),
    );
    const sound = this.fencesJson ? `\`\`\`json\n${json}\n\`\`\`` : json;
    const content = fault === 'garbage-content' ? 'Sure! Here is what I see: a dog.' : sound;
    const inputTokens =
      tokensOf(JSON.stringify(body['messages']).replace(/data:[^"]+/g, '')) + 800 * request.imageUrls.length;
    const outputTokens = Math.min(tokensOf(content), body['max_completion_tokens'] as number);
    const model = String(body['model']);
    const message = {
      role: 'assistant',
      content: fault === 'refusal' ? null : content,
      refusal: fault === 'refusal' ? "I'm sorry, I cannot help with that." : null,
    };
    const finishReason =
      fault === 'content-filter' ? 'content_filter' : fault === 'cut-short' ? 'length' : 'stop';
    return {
      status: 200,
      body: {
        id: 'chatcmpl-fake',
        object: 'chat.completion',
        model,
        choices: [{ index: 0, finish_reason: finishReason, message }],
        ...usageOf(fault, {
          prompt_tokens: inputTokens,
          completion_tokens: outputTokens,
          total_tokens: inputTokens + outputTokens,
        }),
      },
      billed: { model, inputTokens, outputTokens, seconds: 0 },
    };
  }

  private transcription(body: Record<string, unknown>, fault: FakeFault | null): FakeAnswer {
    const { segments, duration = 0, language, text } = this.transcript;
    const seconds = Math.ceil(duration);
    const model = String(body['model']);
    return {
      status: 200,
      body: {
        task: 'transcribe',
        language,
        duration: fault?.endsWith('-usage') ? undefined : duration,
        text: text ?? (segments ?? []).map((segment) => segment.text).join(''),
        segments,
        ...(fault === 'missing-usage'
          ? {}
          : {
              usage: {
                type: 'duration',
                seconds: fault === 'bogus-usage' ? 1e12 : fault === 'negative-usage' ? -5 : seconds,
              },
            }),
      },
      billed: { model, inputTokens: 0, outputTokens: 0, seconds },
    };
  }
}

/** How the fake counts tokens: four bytes each, at least one. */
function tokensOf(text: string): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(text) / 4));
}

function usageOf(fault: FakeFault | null, usage: Record<string, number>): { usage?: Record<string, number> } {
  if (fault === 'missing-usage') return {};
  if (fault === 'bogus-usage') return { usage: { ...usage, prompt_tokens: 1e15 } };
  if (fault === 'negative-usage') return { usage: { ...usage, prompt_tokens: -1 } };
  return { usage };
}

function httpFault(fault: FakeFault | null): FakeAnswer | undefined {
  const error = (status: number, code: string, headers?: Record<string, string>): FakeAnswer => ({
    status,
    headers,
    // Real servers quote the key and the input in their messages.
    body: {
      error: { message: 'Incorrect API key provided: sk-canary-1234', type: 'error', code, param: null },
    },
  });
  switch (fault) {
    case 'unauthorized':
      return error(401, 'invalid_api_key');
    case 'forbidden':
      return error(403, 'unsupported_country_region_territory');
    case 'not-found':
      return error(404, 'model_not_found');
    case 'bad-request':
      return error(400, 'unsupported_parameter');
    case 'content-policy':
      return error(400, 'content_policy_violation');
    case 'rate-limited':
      return error(429, 'rate_limit_exceeded', { 'retry-after': '7' });
    case 'quota-exhausted':
      return error(429, 'insufficient_quota');
    case 'server-error':
      return error(500, 'server_error');
    case 'overloaded':
      return error(503, 'overloaded', { 'retry-after-ms': '2500' });
    case 'redirect':
      return { status: 307, headers: { location: 'http://127.0.0.1:9/elsewhere' }, body: '' };
    case 'garbage-json':
      return { status: 200, body: '{"choices": [oops' };
    case 'html':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome to nginx!</h1>' };
    case 'wrong-schema':
      return { status: 200, body: { hello: 'world' } };
    default:
      return undefined;
  }
}

async function readBody(bytes: Buffer, contentType: string): Promise<Record<string, unknown>> {
  if (!contentType.startsWith('multipart/form-data'))
    return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  const form = await new Response(new Uint8Array(bytes), {
    headers: { 'content-type': contentType },
  }).formData();
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form) {
    fields[name] = typeof value === 'string' ? value : { name: value.name, bytes: value.size };
  }
  return fields;
}

function chatRequestOf(body: Record<string, unknown>): FakeChatRequest {
  const messages = body['messages'] as { role: string; content: unknown }[];
  const parts = messages.find(({ role }) => role === 'user')?.content as {
    type: string;
    text?: string;
    image_url?: { url: string };
  }[];
  const format = body['response_format'] as { json_schema: { name: string } };
  return {
    schemaName: format.json_schema.name,
    text: parts.map(({ text }) => text ?? '').join('\n'),
    imageUrls: parts.flatMap(({ image_url: image }) => (image ? [image.url] : [])),
  };
}

function defaultChatAnswer({ schemaName, text }: FakeChatRequest): unknown {
  if (schemaName === 'picture_description') {
    return {
      summary: 'A dog runs along a beach.',
      labels: [
        { name: 'Dog', confidence: 0.97, kind: 'object' },
        { name: 'beach', confidence: 0.9, kind: 'scene' },
        { name: 'running', confidence: 0.7, kind: 'activity' },
      ],
      text: ['BEACH BAR'],
      facesCount: 0,
      contentWarnings: [],
    };
  }
  const { title = '' } = JSON.parse(text) as { title?: string };
  return {
    summary: `About ${title}.`,
    keywords: title.split(' ').slice(0, 5),
    category: 'nature',
    sentiment: 'positive',
    contentWarnings: [],
    language: 'en',
  };
}
