import type { AiProviders } from '../ai.types.js';
import { createAiProviders } from '../create-ai-providers.js';
import { DEFAULT_PRICES, addAmounts, parsePriceTable, priceOf, priceTokens } from '../pricing.js';
import { FakeOpenAiServer } from '../testing/fake-openai-server.js';
import { toStoredVector } from '../vectors.js';
import type { OpenAiConfig } from './openai-config.js';
import { clipToBytes } from './openai-usage.js';

let server: FakeOpenAiServer;
beforeAll(async () => {
  server = await FakeOpenAiServer.start();
});
beforeEach(() => server.reset());
afterAll(() => server.stop());

const noMedia = {
  extractSubtitles: async () => [],
  parseSubtitleFile: async () => [],
  extractAudio: async () => undefined,
};
const create = (config: Partial<OpenAiConfig> = {}): AiProviders =>
  createAiProviders(
    { provider: 'openai', openai: { apiKey: 'sk-test', baseUrl: server.baseUrl, ...config } },
    noMedia,
  );
const length = (vector: Float32Array): number => Math.hypot(...vector);

describe('OpenAiTextEmbedder', () => {
  it('asks for 1536 dimensions, normalises, and puts the vectors into the order of the texts', async () => {
    const { textEmbedder } = create();
    expect(textEmbedder.model).toEqual({
      provider: 'openai',
      name: 'text-embedding-3-small',
      version: 'v1',
      dimensions: 1536,
    });
    const { vectors, usage } = await textEmbedder.embed(['a dog', 'an invoice', 'a lake']);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      path: '/v1/embeddings',
      authorization: 'Bearer sk-test',
      body: {
        model: 'text-embedding-3-small',
        dimensions: 1536,
        encoding_format: 'float',
        input: ['a dog', 'an invoice', 'a lake'],
      },
    });
    for (const vector of vectors) expect(length(vector)).toBeCloseTo(1, 5);
    const [single] = (await textEmbedder.embed(['an invoice'])).vectors;
    expect([...vectors[1]!]).toEqual([...single!]);
    expect(usage).toMatchObject({
      service: 'openai_embeddings',
      billingUnit: 'per_token',
      currency: 'USD',
      referenceId: expect.stringMatching(/^req_/) as string,
    });
    expect(usage.units).toBe(server.billed[0]!.inputTokens);
    expect(usage.estimated).toBeUndefined();
  });

  it('takes a model of 1024 dimensions', async () => {
    const { textEmbedder } = create({ embeddingDimensions: 1024 });
    expect(textEmbedder.model).toMatchObject({ version: 'v1-1024d', dimensions: 1024 });
    const { vectors } = await textEmbedder.embed(['a dog']);
    expect(vectors[0]).toHaveLength(1024);
    expect(length(vectors[0]!)).toBeCloseTo(1, 5);
    expect(toStoredVector(vectors[0]!)).toHaveLength(1536);
    expect(server.requests[0]!.body['dimensions']).toBe(1024);
  });

  it('does not send dimensions to models that refuse the parameter, unless told to', async () => {
    const prices = parsePriceTable('{"models":{"own-model":{"inputPerMillionTokens":"0"}}}');
    await create({ embeddingModel: 'own-model', prices }).textEmbedder.embed(['a']);
    await create({
      embeddingModel: 'own-model',
      prices,
      embeddingRequestsDimensions: true,
    }).textEmbedder.embed(['a']);
    expect(server.requests.map(({ body }) => body['dimensions'])).toEqual([undefined, 1536]);
  });

  it('splits many and long texts into requests within the service limits, and sums their cost', async () => {
    const texts = [
      ...Array.from({ length: 600 }, (_, index) => `text ${index}`),
      ...Array.from({ length: 60 }, () => 'word '.repeat(5_000)),
    ];
    const { vectors, usage } = await create().textEmbedder.embed(texts);
    expect(vectors).toHaveLength(660);
    const inputs = server.requests.map(({ body }) => body['input'] as string[]);
    expect(inputs.flat()).toHaveLength(660);
    for (const input of inputs) {
      expect(input.length).toBeLessThanOrEqual(2_048);
      expect(Math.max(...input.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(8_191);
      expect(Buffer.byteLength(input.join(''))).toBeLessThanOrEqual(300_000);
    }
    const price = priceOf(DEFAULT_PRICES, 'text-embedding-3-small');
    const spent = addAmounts(...server.billed.map(({ inputTokens: input }) => priceTokens(price, { input })));
    expect(usage.amount).toBe(spent);
    expect(Number(usage.amount)).toBeLessThanOrEqual(Number(create().textEmbedder.estimate(texts).amount));
  });

  it('charges the requests that succeeded when a later one fails', async () => {
    const texts = Array.from({ length: 600 }, (_, index) => `text ${index}`);
    const { textEmbedder } = create();
    server.setFault('server-error', 1, 1);
    const failure = textEmbedder.embed(texts);
    await expect(failure).rejects.toMatchObject({ code: 'provider-unavailable' });
    const price = priceOf(DEFAULT_PRICES, 'text-embedding-3-small');
    await expect(failure).rejects.toMatchObject({
      usage: {
        amount: priceTokens(price, { input: server.billed[0]!.inputTokens }),
        referenceId: expect.stringMatching(/^req_/) as string,
      },
    });
  });

  it('the estimate is an upper bound for every kind of text', () => {
    const { textEmbedder } = create();
    const tokens = (text: string): number => textEmbedder.estimate([text]).units;
    // A byte-level encoding never has more tokens than bytes.
    for (const text of ['a', 'a dog', '写真', '🐶🐶', 'ß'.repeat(100)]) {
      expect(tokens(text)).toBeGreaterThanOrEqual(Buffer.byteLength(text));
    }
    expect(tokens('x'.repeat(1_000_000))).toBeLessThan(8_192);
  });

  it('embeds nothing for nothing, and refuses empty texts before any request', async () => {
    await expect(create().textEmbedder.embed([])).resolves.toMatchObject({
      vectors: [],
      usage: { amount: '0' },
    });
    await expect(create().textEmbedder.embed(['a', ' \u200b'])).rejects.toMatchObject({
      code: 'provider-bad-input',
    });
    expect(server.requests).toHaveLength(0);
  });
});

it('clipToBytes never splits a character', () => {
  expect(clipToBytes('abc', 10)).toBe('abc');
  expect(clipToBytes('aß', 2)).toBe('a');
  expect(clipToBytes('a🐶b', 4)).toBe('a');
  expect(clipToBytes('a🐶b', 5)).toBe('a🐶');
  expect(clipToBytes('写真', 5)).toBe('写');
});

describe('configuration', () => {
  it.each([
    [{ apiKey: ' ' }, 'needs an API key'],
    [{ embeddingDimensions: 3072 }, '1 to 1536'],
    [{ embeddingModel: 'unknown' }, 'no price is known for model "unknown"'],
    [{ visionModel: 'whisper-1' }, 'has no inputPerMillionTokens'],
    [{ transcriptionModel: 'gpt-5.4-mini' }, 'has no perMinute'],
  ])('%j is refused at the start', (config, message) => {
    expect(() => create(config)).toThrow(message);
  });

  it('the OpenAI provider needs its settings', () => {
    expect(() => createAiProviders({ provider: 'openai' }, noMedia)).toThrow('at least an API key');
  });
});
