import type pg from 'pg';
import { ProviderError } from '../../src/infrastructure/ai/ai.types.js';
import { FakeOpenAiServer } from '../../src/infrastructure/ai/testing/fake-openai-server.js';
import { ReindexFeeder } from '../../src/modules/media/embedding-models/reindex-feeder.js';
import { startTestApp, type TestApp } from '../harness/app.js';
import { connectAsSuperuser, ownDatabaseUrls } from '../harness/database.js';
import { openWorld, V2, worldOf, type World } from './embedding-models-world.js';

let urls: Awaited<ReturnType<typeof ownDatabaseUrls>>;
let superuser: pg.Client;
let openai: FakeOpenAiServer;
const apps: TestApp[] = [];

beforeAll(async () => {
  urls = await ownDatabaseUrls('embedding_faults');
  superuser = await connectAsSuperuser(urls.adminUrl);
  openai = await FakeOpenAiServer.start();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.stop();
  // Each test begins with no library and no model.
  await superuser.query(`DELETE FROM users; DELETE FROM embedding_models;`);
});
afterAll(async () => {
  await superuser.end();
  await openai.stop();
});

async function open(env: Record<string, string> = {}): Promise<World> {
  const world = await openWorld(urls.runtimeUrl, env);
  apps.push(world.app);
  return world;
}

const withKey = () => ({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: openai.baseUrl });

async function registerV2(world: World): Promise<number> {
  const { status, body } = await world.post('', V2);
  expect(status).toBe(201);
  return body.id;
}

it('goes on after its workers were killed and the process was started anew', async () => {
  const first = await worldOf(await startTestApp({}, { databaseUrl: urls.runtimeUrl, jobs: false }), null);
  const owner = await first.app.createSession();
  for (let index = 0; index < 6; index += 1) await first.add(owner, { title: `picture number ${index}` });
  const v2 = await registerV2(first);
  await first.post(`/${v2}/reindex`);
  expect(await first.app.nest.get(ReindexFeeder).feed()).toMatchObject({ jobs: 6 });
  // And a file that the feeder has not come to yet.
  await first.add(owner, { title: 'the seventh' });
  await first.app.stop();
  // What killed workers leave: leases that nobody renews.
  await superuser.query(`UPDATE processing_jobs SET status = 'processing', attempts = 1, locked_by = 'gone',
    fencing_token = fencing_token + 1, lease_expires_at = now() - interval '1 minute'
    WHERE id IN (SELECT id FROM processing_jobs ORDER BY id LIMIT 3)`);
  const second = await open();
  expect(await second.complete(v2)).toMatchObject({ searchableFiles: 7, embeddedFiles: 7, failedFiles: 0 });
  const { rows } = await superuser.query(
    `SELECT status, attempts, count(*)::int AS jobs FROM processing_jobs GROUP BY 1, 2 ORDER BY 2`,
  );
  expect(rows).toEqual([
    { status: 'completed', attempts: 1, jobs: 4 },
    { status: 'completed', attempts: 2, jobs: 3 },
  ]);
}, 120_000);

it('a model that cannot embed fails neither the file nor the active model, and is caught up with', async () => {
  const world = await open();
  const owner = await world.app.createSession();
  const id = await world.add(owner, { title: 'a red bicycle' });
  const v2 = await registerV2(world);
  const embedder = world.app.runtime.textEmbedders.resolve(V2);
  const original = embedder.embed;
  embedder.embed = () => Promise.reject(new ProviderError('provider-forbidden', 'no', false, 'Ask.'));
  // A new title is embedded again, with both models.
  await world.app.http
    .patch(`/v1/media/${id}`)
    .set(owner.headers)
    .send({ title: 'a green tractor' })
    .expect(200);
  const failed = await world.app.eventually(async () => {
    const model = await world.model(v2);
    return model.failedFiles === 1 ? model : null;
  });
  expect(failed).toMatchObject({ missingFiles: 1, missingFileIds: [id], openJobs: 0 });
  expect((await world.app.http.get(`/v1/media/${id}`).set(owner.headers)).body).toMatchObject({
    ...{ status: 'completed', statusReason: null, jobs: { failed: 0 } },
  });
  expect((await world.search(owner, 'tractor')).ids).toEqual([id]);
  embedder.embed = original;
  await world.post(`/${v2}/reindex`);
  expect(await world.complete(v2)).toMatchObject({ failedFiles: 0, embeddedFiles: 1 });
});

it('books re-embedding with the owner and leaves the budget alone; the estimate covers it', async () => {
  const world = await open(withKey());
  const owner = await world.app.createSession();
  for (const title of ['a red bicycle', 'two green tractors', 'träumende Katzen'])
    await world.add(owner, { title });
  // A plan whose budget is used up.
  await superuser.query(`INSERT INTO cost_tracking (user_id, service_name, operation_type, amount,
    billing_period_month, billing_period_year) VALUES ('${owner.id}', 'openai_gpt', 'x', 1000, 11, 2026)`);
  const { body: model } = await world.post('', {
    ...{ provider: 'openai', name: 'text-embedding-3-small', dimensions: 1024 },
  });
  expect(model).toMatchObject({ version: 'v1-1024d', dimensions: 1024 });
  const { body: estimate } = await world.app.http
    .get(`/v1/admin/embedding-models/${model.id}/estimate`)
    .set(world.admin.headers);
  expect(openai.billed).toEqual([]);
  await world.post(`/${model.id}/reindex`);
  expect(await world.complete(model.id)).toMatchObject({ embeddedFiles: 3 });
  const { rows } = await superuser.query(
    `SELECT sum(amount)::text AS amount, count(*)::int AS calls, count(DISTINCT media_file_id)::int AS files
     FROM cost_tracking WHERE user_id = '${owner.id}' AND service_name = 'reindexing'`,
  );
  expect(rows).toMatchObject([{ calls: 3, files: 3 }]);
  expect(Number(rows[0].amount)).toBeGreaterThan(0);
  expect(Number(rows[0].amount)).toBeLessThanOrEqual(Number(estimate.cost.atMost));
  const tokens = openai.billed.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
  expect(Number(rows[0].amount)).toBeCloseTo((tokens * 0.02) / 1e6, 9);
  const { body: usage } = await world.app.http.get('/v1/me/usage').set(owner.headers);
  expect(Number(usage.cost.amount)).toBe(1000);
});

it('serves the old model after the configuration names another, and words when its provider is gone', async () => {
  const first = await open({ ...withKey(), AI_PROVIDER: 'openai', OPENAI_EMBEDDING_DIMENSIONS: '1024' });
  const { admin } = first;
  const owner = await first.app.createSession();
  const openaiModel = (await first.list())[0]!.id;
  const vector = `[${['1', ...Array<string>(1535).fill('0')].join(',')}]`;
  const { asUser, insertEmbeddings, insertMedia } = await import('./search-fixtures.js');
  const id = await asUser(owner.id, () =>
    first.app.database.run(async (tx) => {
      const mediaFileId = await insertMedia(tx, owner.id, { title: 'bicycle' });
      await insertEmbeddings(tx, owner.id, openaiModel, [{ mediaFileId, vector }]);
      return mediaFileId;
    }),
  );
  const restart = async (env: Record<string, string>): Promise<{ world: World; log: string }> => {
    for (const app of apps.splice(0)) await app.stop();
    const lines: string[] = [];
    const app = await startTestApp(
      { LOG_LEVEL: 'info', ...env },
      { databaseUrl: urls.runtimeUrl, logDestination: { write: (line: string) => void lines.push(line) } },
    );
    apps.push(app);
    return { world: await worldOf(app, admin), log: lines.join('') };
  };
  // The operator now wants local models, and has left the key.
  const { world: second, log } = await restart(withKey());
  expect(await second.list()).toMatchObject([
    { id: openaiModel, state: 'active', isServable: true },
    { provider: 'local', version: 'v1', state: 'building', missingFiles: 1 },
  ]);
  expect(log).toContain(`POST /v1/admin/embedding-models/${second.v1}/reindex builds it`);
  const found = await second.search(owner, 'bicycle');
  expect(found).toMatchObject({ model: 'text-embedding-3-small v1-1024d', ids: [id] });
  expect((await second.app.http.get('/health/ready')).body.checks.embeddingModel).toEqual({ ok: true });
  // Then without the key.
  const { world: third, log: lastLog } = await restart({});
  expect(lastLog).toContain('nothing in this process can embed with the active model');
  expect(await third.search(owner, 'bicycle')).toEqual({ model: null, ids: [id], degradedReason: 'model' });
  expect((await third.app.http.get('/health/ready')).body).toMatchObject({
    ...{ status: 'degraded', checks: { embeddingModel: { ok: false } } },
  });
  expect(await third.post(`/${openaiModel}/reindex`)).toMatchObject({ status: 409 });
  // The local model takes over.
  await third.post(`/${third.v1}/reindex`);
  await third.complete(third.v1);
  expect((await third.post(`/${third.v1}/activate`)).status).toBe(200);
  expect(await third.search(owner, 'bicycle')).toEqual({ model: 'local-hash-embedding', ids: [id] });
  expect((await third.app.http.get('/health/ready')).body.status).toBe('ok');
}, 120_000);

it('lets the configured model take over at once while there are no vectors', async () => {
  await superuser.query(
    `INSERT INTO embedding_models (provider, name, dimensions, state) VALUES ('openai', 'old', 1536, 'active')`,
  );
  const world = await open();
  const states = (await world.list()).map(({ provider, state }) => [provider, state]);
  expect(states).toEqual([
    ['openai', 'retired'],
    ['local', 'active'],
  ]);
});

it('a query embedded just before the switch is compared with the model it came from', async () => {
  const world = await open();
  const owner = await world.app.createSession();
  const id = await world.add(owner, { title: 'a red bicycle' });
  const v2 = await registerV2(world);
  await world.post(`/${v2}/reindex`);
  await world.complete(v2);
  const { textEmbedder } = world.app.runtime.ai;
  const original = textEmbedder.embed.bind(textEmbedder);
  textEmbedder.embed = async (texts, signal) => {
    const answer = await original(texts, signal);
    expect((await world.post(`/${v2}/activate`)).status).toBe(200);
    return answer;
  };
  expect(await world.search(owner, 'bicycle')).toEqual({ model: 'local-hash-embedding', ids: [id] });
  expect(await world.search(owner, 'bicycle')).toEqual({ model: 'local-hash-embedding v2', ids: [id] });
});
