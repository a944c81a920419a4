import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { AiProviders, PricedUsage, TextAnalysisInput } from './ai.types.js';
import { ProviderError } from './ai.types.js';
import { createAiProviders } from './create-ai-providers.js';
import { addAmounts, priceOf, priceSeconds, priceTokens, DEFAULT_PRICES } from './pricing.js';
import { FakeOpenAiServer } from './testing/fake-openai-server.js';
import { encodeHalfvecBinary, toStoredVector } from './vectors.js';
import { CATEGORIES, COST_SERVICES } from './vocabulary.js';

let server: FakeOpenAiServer;
let folder: string;
let picture: string;
beforeAll(async () => {
  server = await FakeOpenAiServer.start();
  folder = await mkdtemp(join(tmpdir(), 'ai-providers-'));
  picture = join(folder, 'picture.png');
  await sharp({ create: { width: 300, height: 200, channels: 3, background: '#2060d0' } }).toFile(picture);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const media = {
  extractSubtitles: async () => [{ startSeconds: 0, endSeconds: 2, text: 'We sail to the island.' }],
  parseSubtitleFile: async () => [],
  extractAudio: async (_path: string, outPath: string) => writeFile(outPath, 'sound'),
};
const create = {
  local: () => createAiProviders({ provider: 'local', tesseractPath: '/no/such/program' }, media),
  openai: () =>
    createAiProviders({ provider: 'openai', openai: { apiKey: 'sk-test', baseUrl: server.baseUrl } }, media),
};

const TEXT: TextAnalysisInput = {
  fileType: 'video',
  title: 'Sailing trip',
  labels: [{ name: 'boat', confidence: 0.9, kind: 'object' }],
  detectedText: ['PIER 4'],
  transcript: 'We sail to the island. The sea is calm.',
  imageSummaries: ['Boats in a harbour.'],
  facts: [],
  durationSeconds: 30,
};
const VIDEO = { path: '/v.mp4', durationSeconds: 4, hasAudio: true, subtitleTracks: [] };

/** The same behaviour is expected of every implementation. */
describe.each(['local', 'openai'] as const)('AI provider %s', (name) => {
  let ai: AiProviders;
  beforeAll(() => {
    ai = create[name]();
  });

  function expectUsage(usage: PricedUsage, estimate: PricedUsage): void {
    expect(Object.values(COST_SERVICES)).toContain(usage.service);
    expect(usage.amount).toMatch(/^\d+(\.\d{1,10})?$/);
    expect(usage.currency).toMatch(/^[A-Z]{3}$/);
    expect(usage.units).toBeGreaterThanOrEqual(0);
    // What was reserved always covers what is booked.
    expect(Number(usage.amount)).toBeLessThanOrEqual(Number(estimate.amount));
    expect(usage).toMatchObject({
      service: estimate.service,
      operation: estimate.operation,
      model: estimate.model,
    });
  }

  it('says what it is', () => {
    expect(ai.name).toBe(name);
    expect(ai.textEmbedder.model).toMatchObject({ provider: name, dimensions: 1536 });
    const names = [
      ai.textEmbedder.model.name,
      ai.imageAnalyzer.modelName,
      ai.transcriber.modelName,
      ai.textAnalyzer.modelName,
    ];
    // Nobody shall take measurements and word counts for a model's judgement.
    expect(names.every((modelName) => modelName.startsWith('local-') === (name === 'local'))).toBe(true);
  });

  it('embeds: finite, of length 1, in order, deterministic, fit for storage', async () => {
    const texts = ['a dog on the beach', 'a puppy by the ocean', 'an invoice', '写真'];
    const { vectors, usage } = await ai.textEmbedder.embed(texts);
    expectUsage(usage, ai.textEmbedder.estimate(texts));
    const [dog, puppy, invoice] = vectors as [Float32Array, Float32Array, Float32Array];
    const cosine = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, element, index) => sum + element * b[index]!, 0);
    for (const vector of vectors) {
      expect(cosine(vector, vector)).toBeCloseTo(1, 5);
      expect(encodeHalfvecBinary(toStoredVector(vector))).toHaveLength(3_076);
    }
    expect(cosine(dog, puppy)).toBeGreaterThan(cosine(dog, invoice) + 0.1);
    const again = await ai.textEmbedder.embed([texts[2]!]);
    expect([...again.vectors[0]!]).toEqual([...invoice]);
  });

  it('refuses an empty text with the same error', async () => {
    await expect(ai.textEmbedder.embed(['a', '\t'])).rejects.toMatchObject({
      name: 'ProviderError',
      code: 'provider-bad-input',
      retryable: false,
    });
  });

  it('looks at a picture', async () => {
    const { analysis, usage } = await ai.imageAnalyzer.analyze({ path: picture });
    expectUsage(usage, ai.imageAnalyzer.estimate());
    expect(analysis.colors[0]).toEqual({ name: 'blue', hex: '#2060d0', share: 1 });
    expect(analysis.labels.map((label) => label.name)).toContain('landscape orientation');
    expect(analysis.perceptualHash).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
  });

  it('sums up text', async () => {
    const { analysis, usage } = await ai.textAnalyzer.analyze(TEXT);
    expectUsage(usage, ai.textAnalyzer.estimate(TEXT));
    expect(analysis.summary).not.toBe('');
    expect(analysis.keywords).toContain('trip');
    expect([...CATEGORIES, null]).toContain(analysis.category);
    expect(analysis.language).toBe('en');
  });

  it('takes subtitles as the transcript, free of charge', async () => {
    const tracks = [{ index: 1, codec: 'mov_text', language: 'eng' }];
    const { transcript, usage } = await ai.transcriber.transcribe({
      ...VIDEO,
      workDir: folder,
      subtitleTracks: tracks,
    });
    expect(transcript).toEqual({
      source: 'subtitle-track',
      language: 'en',
      cues: await media.extractSubtitles(),
    });
    expect(usage.amount).toBe('0');
  });

  it('has no transcript of a video without sound and subtitles', async () => {
    const { transcript, usage } = await ai.transcriber.transcribe({
      ...VIDEO,
      workDir: folder,
      hasAudio: false,
    });
    expect(transcript).toBeNull();
    expect(usage.amount).toBe('0');
  });

  it.each(['embed', 'image', 'speech', 'text'] as const)(
    'a cancelled call is a ProviderError: %s',
    async (call) => {
      const signal = AbortSignal.abort();
      const calls = {
        embed: () => ai.textEmbedder.embed(['a'], signal),
        image: () => ai.imageAnalyzer.analyze({ path: picture }, signal),
        speech: () =>
          ai.transcriber.transcribe(
            { ...VIDEO, workDir: folder, subtitleTracks: [{ index: 1, codec: 'x', language: null }] },
            signal,
          ),
        text: () => ai.textAnalyzer.analyze(TEXT, signal),
      };
      const error = await calls[call]().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ProviderError);
      expect(error).toMatchObject({ code: 'provider-cancelled', retryable: true, usage: undefined });
    },
  );
});

it('the ledger agrees with the server to the last decimal, failures included', async () => {
  server.reset();
  const ai = create.openai();
  const booked: string[] = [];
  const book = async (call: () => Promise<{ usage: PricedUsage }>): Promise<void> => {
    const usage = await call().then(
      (result) => result.usage,
      (error: ProviderError) => error.usage,
    );
    if (usage !== undefined) booked.push(usage.amount);
  };
  for (let round = 0; round < 10; round++) {
    server.setFault(
      ([null, 'server-error', 'garbage-content', 'rate-limited', 'refusal'] as const)[round % 5]!,
      4,
    );
    await book(() => ai.textEmbedder.embed([`text of round ${round}`, 'and another one']));
    await book(() => ai.imageAnalyzer.analyze({ path: picture }));
    await book(() => ai.textAnalyzer.analyze({ ...TEXT, title: `round ${round}` }));
    await book(() => ai.transcriber.transcribe({ ...VIDEO, workDir: folder }));
  }
  const counted = server.billed.map(({ model, inputTokens, outputTokens, seconds }) =>
    seconds > 0
      ? priceSeconds(priceOf(DEFAULT_PRICES, model), seconds)
      : priceTokens(priceOf(DEFAULT_PRICES, model), { input: inputTokens, output: outputTokens }),
  );
  expect(server.requests).toHaveLength(40);
  expect(counted).toHaveLength(24);
  expect(addAmounts(...booked)).toBe(addAmounts(...counted));
});
