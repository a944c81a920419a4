import { LocalTextEmbedder } from './local/local-text-embedder.js';
import { FakeOpenAiServer } from './testing/fake-openai-server.js';
import { ModelNotServableError, TextEmbedders } from './text-embedders.js';

const LOCAL = { provider: 'local', name: 'local-hash-embedding' };
const OPENAI = { provider: 'openai', name: 'text-embedding-3-small' };
const configured = new LocalTextEmbedder();
const withoutKey = new TextEmbedders(configured, null);
const withKey = new TextEmbedders(configured, { apiKey: 'sk-test', baseUrl: 'http://127.0.0.1:9/v1' });

/** Which part of the description is refused. */
function fault(embedders: TextEmbedders, wanted: Parameters<TextEmbedders['resolve']>[0]): string {
  try {
    embedders.resolve(wanted);
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(ModelNotServableError);
    return (error as ModelNotServableError).field;
  }
}

it('gives the configured embedder itself for its model, and one embedder per other model', () => {
  expect(withoutKey.resolve({ ...LOCAL, version: 'v1', dimensions: 1536 })).toBe(configured);
  expect(withoutKey.resolve({ ...LOCAL, dimensions: 1536 })).toBe(configured);
  const v2 = withoutKey.resolve({ ...LOCAL, version: 'v2', dimensions: 1024 });
  expect(v2.model).toEqual({ ...LOCAL, version: 'v2', dimensions: 1024 });
  expect(withoutKey.resolve({ ...LOCAL, version: 'v2', dimensions: 1024 })).toBe(v2);
});

it('serves models of the OpenAI-compatible server whatever the configured provider is, when there is a key', () => {
  const large = withKey.resolve({ provider: 'openai', name: 'text-embedding-3-large', dimensions: 1024 });
  expect(large.model).toMatchObject({ version: 'v1-1024d', dimensions: 1024 });
  expect(withKey.find({ ...OPENAI, version: 'v1', dimensions: 1536 })).not.toBeNull();
  expect(withoutKey.find({ ...OPENAI, version: 'v1', dimensions: 1536 })).toBeNull();
});

it('refuses what it cannot serve, and names the part at fault', () => {
  expect(fault(withoutKey, { provider: 'magic', name: 'x', dimensions: 8 })).toBe('provider');
  expect(fault(withoutKey, { ...OPENAI, dimensions: 1536 })).toBe('provider');
  expect(fault(withoutKey, { ...LOCAL, version: 'v3', dimensions: 1536 })).toBe('version');
  expect(fault(withoutKey, { ...LOCAL, version: 'v2', dimensions: 1536 })).toBe('dimensions');
  expect(fault(withoutKey, { ...LOCAL, name: 'other', dimensions: 1536 })).toBe('name');
  expect(fault(withKey, { provider: 'openai', name: 'model-without-price', dimensions: 8 })).toBe('name');
  expect(fault(withKey, { ...OPENAI, version: 'v7', dimensions: 1536 })).toBe('version');
  for (const dimensions of [0, 1537, 1.5])
    expect(fault(withKey, { ...OPENAI, dimensions })).toBe('dimensions');
});

it('prices tokens by the list, and local ones with nothing', () => {
  const small = { ...OPENAI, version: 'v1', dimensions: 1536 };
  expect(withKey.price(small, 1_000_000)).toEqual({ amount: '0.02', currency: 'USD' });
  expect(withKey.price({ ...LOCAL, version: 'v2', dimensions: 1024 }, 9_999)).toEqual({
    amount: '0',
    currency: 'USD',
  });
  expect(() => withoutKey.price(small, 1)).toThrow(ModelNotServableError);
});

it('asks the server for the length of the model, not for that of the configuration', async () => {
  const server = await FakeOpenAiServer.start();
  try {
    const embedders = new TextEmbedders(configured, {
      apiKey: 'sk-test',
      baseUrl: server.baseUrl,
      embeddingModel: 'text-embedding-3-large',
      embeddingDimensions: 512,
    });
    const { vectors } = await embedders.resolve({ ...OPENAI, dimensions: 1024 }).embed(['a boat']);
    expect(vectors[0]).toHaveLength(1024);
    expect(server.billed).toMatchObject([{ model: 'text-embedding-3-small' }]);
  } finally {
    await server.stop();
  }
});
