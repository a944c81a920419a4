import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import type { AiProviders, TextAnalysisInput } from '../ai.types.js';
import { ProviderError } from '../ai.types.js';
import { createAiProviders } from '../create-ai-providers.js';
import type { FakeFault } from '../testing/fake-openai-server.js';
import { FakeOpenAiServer } from '../testing/fake-openai-server.js';
import type { OpenAiConfig } from './openai-config.js';

const API_KEY = 'sk-canary-1234';
let server: FakeOpenAiServer;
let folder: string;
let picture: string;
beforeAll(async () => {
  server = await FakeOpenAiServer.start();
  folder = await mkdtemp(join(tmpdir(), 'openai-faults-'));
  picture = join(folder, 'picture.jpg');
  await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } }).toFile(picture);
});
beforeEach(() => server.reset());
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const media = {
  extractSubtitles: async () => [],
  parseSubtitleFile: async () => [],
  extractAudio: async (_path: string, outPath: string) => writeFile(outPath, 'sound'),
};
const providers = (config: Partial<OpenAiConfig> = {}): AiProviders =>
  createAiProviders(
    { provider: 'openai', openai: { apiKey: API_KEY, baseUrl: server.baseUrl, ...config } },
    media,
  );

const TEXT: TextAnalysisInput = {
  fileType: 'image',
  title: 'secret-canary-title',
  labels: [],
  detectedText: [],
  transcript: '',
  imageSummaries: [],
  facts: [],
};

/** Each of the four kinds of call, with its estimate. */
const CALLS = {
  embed: (ai: AiProviders) => ({
    estimate: ai.textEmbedder.estimate(['a dog']),
    run: () => ai.textEmbedder.embed(['a dog']),
  }),
  image: (ai: AiProviders) => ({
    estimate: ai.imageAnalyzer.estimate(),
    run: () => ai.imageAnalyzer.analyze({ path: picture }),
  }),
  text: (ai: AiProviders) => ({
    estimate: ai.textAnalyzer.estimate(TEXT),
    run: () => ai.textAnalyzer.analyze(TEXT),
  }),
  speech: (ai: AiProviders) => ({
    estimate: ai.transcriber.estimate({ durationSeconds: 4 }),
    run: () =>
      ai.transcriber.transcribe({
        path: 'v.mp4',
        workDir: folder,
        durationSeconds: 4,
        hasAudio: true,
        subtitleTracks: [],
      }),
  }),
};
type Call = keyof typeof CALLS;
const ALL = Object.keys(CALLS) as Call[];

async function failureOf(
  call: Call,
  config: Partial<OpenAiConfig> = {},
): Promise<{ error: ProviderError; estimate: string }> {
  const { estimate, run } = CALLS[call](providers(config));
  const error = await run().then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return { error: error as ProviderError, estimate: estimate.amount };
}

/** What is billed with the failure: nothing, what the answer says, or the estimate because nobody knows. */
type Billed = 'nothing' | 'reported' | 'estimate';
const FAULTS: [FakeFault, Call[], code: string, retryable: boolean, Billed, retryAfterSeconds?: number][] = [
  ['unauthorized', ALL, 'provider-unauthorized', false, 'nothing'],
  ['forbidden', ALL, 'provider-forbidden', false, 'nothing'],
  ['not-found', ALL, 'provider-not-found', false, 'nothing'],
  ['bad-request', ALL, 'provider-bad-request', false, 'nothing'],
  ['content-policy', ALL, 'provider-refused', false, 'nothing'],
  ['rate-limited', ALL, 'provider-rate-limited', true, 'nothing', 7],
  ['quota-exhausted', ALL, 'provider-quota-exhausted', false, 'nothing'],
  ['server-error', ALL, 'provider-unavailable', true, 'nothing'],
  ['overloaded', ALL, 'provider-unavailable', true, 'nothing', 3],
  ['redirect', ALL, 'provider-unavailable', true, 'estimate'],
  ['reset', ALL, 'provider-unavailable', true, 'estimate'],
  ['hang', ALL, 'provider-timeout', true, 'estimate'],
  ['hang-in-body', ALL, 'provider-timeout', true, 'estimate'],
  ['garbage-json', ALL, 'provider-bad-answer', true, 'estimate'],
  ['html', ALL, 'provider-bad-answer', true, 'estimate'],
  ['wrong-schema', ALL, 'provider-bad-answer', true, 'estimate'],
  ['garbage-content', ['image', 'text'], 'provider-bad-answer', true, 'reported'],
  ['wrong-content', ['image', 'text'], 'provider-bad-answer', true, 'reported'],
  ['cut-short', ['image', 'text'], 'provider-bad-answer', true, 'reported'],
  ['refusal', ['image', 'text'], 'provider-refused', false, 'reported'],
  ['content-filter', ['image', 'text'], 'provider-refused', false, 'reported'],
  ['nan-vector', ['embed'], 'provider-bad-answer', true, 'reported'],
  ['infinite-vector', ['embed'], 'provider-bad-answer', true, 'reported'],
  ['zero-vector', ['embed'], 'provider-bad-answer', true, 'reported'],
  ['missing-vector', ['embed'], 'provider-bad-answer', true, 'reported'],
  // Another attempt gives the same length: somebody has to change the configuration.
  ['wrong-dimensions', ['embed'], 'provider-bad-answer', false, 'reported'],
];

describe.each(FAULTS)('B14: fault %s', (fault, calls, code, retryable, billed, retryAfterSeconds) => {
  it.each(calls)(`${code} for %s`, async (call) => {
    server.setFault(fault);
    // Time enough for the request to arrive, also on a busy machine.
    const timeout = fault.startsWith('hang') ? 1_000 : 10_000;
    const { error, estimate } = await failureOf(call, {
      timeoutMilliseconds: timeout,
      transcriptionTimeoutMilliseconds: timeout,
    });
    expect(error).toMatchObject({ code, retryable });
    expect(error.retryAfterSeconds).toBe(retryAfterSeconds);
    expect(error.hint).not.toBe('');
    if (billed === 'nothing') expect(error.usage).toBeUndefined();
    if (billed === 'estimate') expect(error.usage).toMatchObject({ amount: estimate, estimated: true });
    if (billed === 'reported') {
      expect(error.usage!.estimated).toBeUndefined();
      expect(Number(error.usage!.amount)).toBeGreaterThan(0);
      expect(Number(error.usage!.amount)).toBeLessThan(Number(estimate));
    }
    // One request, no retries of the library: the job machine decides.
    expect(server.requests).toHaveLength(1);
    // Neither the key nor the server's message, which quotes it, nor the user's text.
    const everything = JSON.stringify([error.message, error.hint, error.stack, String(error.cause)]);
    expect(everything).not.toMatch(/canary/);
  });
});

describe.each<FakeFault>(['missing-usage', 'bogus-usage', 'negative-usage'])('%s', (fault) => {
  it.each(ALL)('%s works and is charged at the estimate', async (call) => {
    server.setFault(fault);
    const { estimate, run } = CALLS[call](providers());
    const { usage } = await run();
    expect(usage).toMatchObject({ amount: estimate.amount, units: estimate.units, estimated: true });
  });
});

it('a server that is not there is unavailable, and nothing is charged', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const { error } = await failureOf('embed', { baseUrl: `http://127.0.0.1:${port}/v1` });
  expect(error).toMatchObject({ code: 'provider-unavailable', retryable: true });
  expect(error.message).toContain('ECONNREFUSED');
  expect(error.usage).toBeUndefined();
});

it('an endless answer breaks off', async () => {
  server.onChat = () => ({ summary: 'x'.repeat(70 * 1024 * 1024) });
  const { error } = await failureOf('text');
  expect(error).toMatchObject({ code: 'provider-bad-answer' });
});

it('a cancelled call ends at once; before the request it costs nothing, after it the estimate', async () => {
  const { textEmbedder } = providers();
  await expect(textEmbedder.embed(['a'], AbortSignal.abort())).rejects.toMatchObject({
    code: 'provider-cancelled',
    usage: undefined,
  });
  expect(server.requests).toHaveLength(0);

  server.setFault('hang');
  const controller = new AbortController();
  const cancelled = expect(textEmbedder.embed(['a'], controller.signal)).rejects.toMatchObject({
    code: 'provider-cancelled',
    retryable: true,
    usage: { estimated: true },
  });
  while (server.requests.length === 0) await sleep(10);
  const start = performance.now();
  controller.abort();
  await cancelled;
  expect(performance.now() - start).toBeLessThan(5_000);
});
