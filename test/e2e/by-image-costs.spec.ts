import { jest } from '@jest/globals';
import type pg from 'pg';
import { ProviderError, type AiProviders, type PricedUsage } from '../../src/infrastructure/ai/ai.types.js';
import { AI_PROVIDERS } from '../../src/infrastructure/infrastructure.tokens.js';
import { picture } from '../../src/modules/media/testing/sample-files.js';
import type { ByImageResponse } from '../../src/modules/search/dto/similar.response.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';

let app: TestApp;
let superuser: pg.Client;
let providers: AiProviders;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  superuser = await connectAsSuperuser();
  providers = app.nest.get<AiProviders>(AI_PROVIDERS);
}, 120_000);
afterEach(() => jest.restoreAllMocks());
afterAll(async () => {
  await superuser.end();
  await app.stop();
});

const newUser = (): Promise<Session> => app.createSession({ subscriptionTier: 'ultimate' });

async function search(session: Session, content: Buffer): Promise<ByImageResponse> {
  const response = await app.http
    .post('/v1/search/by-image')
    .set(session.headers)
    .attach('file', content, 'upload.jpg');
  expect([response.status, response.body]).toEqual([200, expect.anything()]);
  return response.body as ByImageResponse;
}

describe('POST /v1/search/by-image with a provider that costs money', () => {
  const usage = (operation: string, amount: string): PricedUsage => ({
    service: operation === 'embed_text' ? 'openai_embeddings' : 'openai_gpt',
    operation,
    model: 'm',
    billingUnit: 'per_token',
    units: 100,
    amount,
    currency: 'USD',
  });
  const ledger = async (session: Session): Promise<unknown[]> => {
    const { rows } = await superuser.query(
      `SELECT operation_type AS operation, amount::float8 AS amount, media_file_id, processing_job_id
         FROM cost_tracking WHERE user_id = $1 ORDER BY reference_id`,
      [session.id],
    );
    return rows;
  };
  const entry = (operation: string, amount: number) => ({
    operation,
    amount,
    media_file_id: null,
    processing_job_id: null,
  });

  it('books each call', async () => {
    const session = await newUser();
    const { imageAnalyzer, textEmbedder } = providers;
    const analyze = imageAnalyzer.analyze.bind(imageAnalyzer);
    const embed = textEmbedder.embed.bind(textEmbedder);
    jest.spyOn(imageAnalyzer, 'analyze').mockImplementation(async (input, signal) => ({
      ...(await analyze(input, signal)),
      usage: usage('analyze_image', '0.02'),
    }));
    jest.spyOn(textEmbedder, 'embed').mockImplementation(async (texts, signal) => ({
      ...(await embed(texts, signal)),
      usage: usage('embed_text', '0.001'),
    }));
    await search(session, await picture());
    expect(await ledger(session)).toEqual([entry('analyze_image', 0.02), entry('embed_text', 0.001)]);
  });

  it('stays within the budget: then near duplicates alone are told', async () => {
    jest.spyOn(providers.imageAnalyzer, 'estimate').mockReturnValue(usage('analyze_image', '1000000'));
    const analyze = jest.spyOn(providers.imageAnalyzer, 'analyze');
    const session = await newUser();
    const content = await picture();
    const stored = await app.http
      .post('/v1/media')
      .set(session.headers)
      .attach('file', content, 'a.jpg')
      .expect(201);
    const found = await search(session, content);
    expect(found).toMatchObject({
      items: [],
      plan: 'none',
      degraded: 'semantic-unavailable',
      degradedReason: 'budget',
    });
    expect(found.nearDuplicates).toMatchObject([{ media: { id: stored.body.id } }]);
    expect(analyze).not.toHaveBeenCalled();
  });

  it('goes on without one that fails, and books what the failure costs', async () => {
    const session = await newUser();
    jest.spyOn(providers.imageAnalyzer, 'analyze').mockRejectedValue(
      new ProviderError('provider-timeout', 'too slow', true, 'wait', {
        usage: usage('analyze_image', '0.5'),
      }),
    );
    const found = await search(session, await picture());
    expect(found).toMatchObject({
      degraded: 'semantic-unavailable',
      degradedReason: 'provider',
      plan: 'none',
    });
    expect(await ledger(session)).toEqual([entry('analyze_image', 0.5)]);
  });
});
