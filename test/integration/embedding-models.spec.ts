import sharp from 'sharp';
import type { Session } from '../harness/app.js';
import { ownDatabaseUrls } from '../harness/database.js';
import { openWorld, V2, type World } from './embedding-models-world.js';
import { asUser } from './search-fixtures.js';

/** A picture with several jobs, beside everything else that the machine has to do. */
const PATIENCE_MS = 120_000;

let world: World;
let alice: Session;
let bob: Session;
/** Alice's files by title. */
const files: Record<string, string> = {};
let v2: number;

// A database of its own: which model is active concerns everybody in it. The steps build on one another.
beforeAll(async () => {
  world = await openWorld((await ownDatabaseUrls('embedding_models')).runtimeUrl);
  [alice, bob] = [
    await world.app.createSession({ subscriptionTier: 'premium' }),
    await world.app.createSession(),
  ];
  const titles = [
    'a dog on the beach',
    'an invoice from the plumber',
    'snow on the mountains',
    'birthday cake',
  ];
  for (const title of titles) files[title] = await world.add(alice, { title });
  files['thrown away'] = await world.add(alice, { title: 'thrown away letter', deletedAt: new Date() });
  await world.add(bob, { title: 'a sailing boat' });
});
afterAll(() => world.app.stop());

async function upload(title: string): Promise<string> {
  const background = `#${Buffer.from(title).toString('hex').slice(0, 6)}`;
  const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background } })
    .png()
    .toBuffer();
  const { body } = await world.app.http
    .post('/v1/media')
    .set(alice.headers)
    .field('title', title)
    .attach('file', picture, 'a.png')
    .expect(201);
  await world.app.eventually(async () => {
    const media = await world.app.http.get(`/v1/media/${body.id}`).set(alice.headers);
    return media.body.status === 'completed' ? true : null;
  }, PATIENCE_MS);
  return body.id;
}

const auditEvents = (): Promise<string[]> =>
  asUser(world.admin.id, () =>
    world.app.database.run(async (tx) =>
      (
        await tx.auditLog.findMany({
          where: { userId: world.admin.id, eventType: { startsWith: 'embedding-model.' } },
          orderBy: { id: 'asc' },
        })
      ).map(({ eventType }) => eventType),
    ),
  );

it('starts with the configured model active, and every searchable file embedded', async () => {
  expect(await world.list()).toMatchObject([
    {
      id: world.v1,
      ...{ state: 'active', version: 'v1', dimensions: 1536, isServable: true },
      // The file in the trash has a vector and is not searched: it is not asked for.
      ...{
        isComplete: true,
        searchableFiles: 5,
        embeddedFiles: 5,
        missingFiles: 0,
        missingFileIds: [],
        segments: 6,
      },
    },
  ]);
});

it('C03: registers a model of 1024 dimensions beside it, once', async () => {
  const { status, body } = await world.post('', V2);
  expect(status).toBe(201);
  expect(body).toMatchObject({ ...V2, state: 'building', missingFiles: 5, isComplete: false });
  v2 = body.id;
  expect((await world.model(v2)).missingFileIds.sort()).toHaveLength(5);
  expect(await world.post('', V2)).toMatchObject({ status: 409, body: { code: 'model-exists' } });
});

it('says what the change would take before anything is done', async () => {
  const { body } = await world.app.http
    .get(`/v1/admin/embedding-models/${v2}/estimate`)
    .set(world.admin.headers)
    .expect(200);
  const characters =
    'a dog on the beach|an invoice from the plumber|snow on the mountains|birthday cake|a sailing boat'.replaceAll(
      '|',
      '',
    ).length;
  expect(body).toEqual({
    modelId: v2,
    ...{ files: 5, segments: 5, guessedFiles: 0, characters },
    tokens: { expected: Math.ceil(characters / 4), atMost: characters + 40 },
    cost: { expected: '0', atMost: '0', currency: 'USD' },
  });
  expect((await world.model(v2)).openJobs).toBe(0);
});

it('is not switched to while files lack its vectors', async () => {
  expect(await world.post(`/${v2}/activate`)).toMatchObject({
    status: 409,
    body: { code: 'model-incomplete', missingFiles: 5 },
  });
  expect((await world.search(alice, 'puppy by the ocean')).model).toBe('local-hash-embedding');
});

it(
  'a file uploaded meanwhile gets vectors of both models',
  async () => {
    const id = await upload('a lighthouse in the fog');
    const vectors = await world.vectors(alice, id);
    expect(vectors[v2]).toBe(vectors[world.v1]);
    expect(vectors[v2]).toBeGreaterThan(0);
    expect(await world.model(v2)).toMatchObject({ searchableFiles: 6, embeddedFiles: 1, missingFiles: 5 });
  },
  PATIENCE_MS,
);

it('builds the new model in the background while search answers as before', async () => {
  const before = await world.search(alice, 'puppy by the ocean');
  expect(before.ids[0]).toBe(files['a dog on the beach']);
  expect((await world.post(`/${v2}/reindex`)).status).toBe(202);
  // Starting it twice does nothing twice, with a key or without.
  const again = await world.app.http
    .post(`/v1/admin/embedding-models/${v2}/reindex`)
    .set({ ...world.admin.headers, 'Idempotency-Key': 'again' });
  expect(again.status).toBe(202);
  expect(await world.search(alice, 'puppy by the ocean')).toEqual(before);
  expect(await world.complete(v2)).toMatchObject({
    missingFiles: 0,
    failedFiles: 0,
    progressPercentage: 100,
  });
  expect(await world.search(alice, 'puppy by the ocean')).toEqual(before);
  expect(await world.vectors(alice, files['birthday cake']!)).toEqual({ [world.v1]: 1, [v2]: 1 });
  expect(await world.vectors(alice, files['thrown away']!)).toEqual({ [world.v1]: 1 });
});

it('C47, C64: each file has one job, in the name of its owner, and no other user sees it', async () => {
  const own = await world.app.http.get('/v1/jobs?jobType=reindex').set(alice.headers).expect(200);
  expect(own.body.items).toHaveLength(4);
  expect(new Set(own.body.items.map((job: { mediaFileId: string }) => job.mediaFileId)).size).toBe(4);
  expect(own.body.items[0]).toMatchObject({ status: 'completed', priority: 10, actualCost: '0' });
  const other = await world.app.http.get('/v1/jobs?jobType=reindex').set(bob.headers).expect(200);
  expect(other.body.items).toHaveLength(1);
});

it('switches in one call, and finds with the new model', async () => {
  expect(await world.post(`/${v2}/activate`)).toMatchObject({ status: 200, body: { state: 'active' } });
  const found = await world.search(alice, 'puppy by the ocean');
  expect(found.model).toBe('local-hash-embedding v2');
  expect(found.ids[0]).toBe(files['a dog on the beach']);
  const similar = await world.app.http
    .get(`/v1/media/${files['a dog on the beach']}/similar`)
    .set(alice.headers)
    .expect(200);
  expect(similar.body.model).toBe('local-hash-embedding v2');
  const old = await world.model(world.v1);
  expect(old).toMatchObject({ state: 'retired', isComplete: true });
  expect(Date.parse(old.fedUntil!)).toBeGreaterThan(Date.now() + 71 * 3_600_000);
});

it(
  'goes back at once: the retired model was fed with the files that came since',
  async () => {
    const id = await upload('strawberry jam');
    const vectors = await world.vectors(alice, id);
    expect(vectors[world.v1]).toBe(vectors[v2]);
    expect(await world.post(`/${world.v1}/activate`)).toMatchObject({ status: 200 });
    const found = await world.search(alice, 'strawberry jam');
    expect(found).toMatchObject({ model: 'local-hash-embedding', ids: expect.arrayContaining([id]) });
    expect((await world.model(v2)).state).toBe('retired');
  },
  PATIENCE_MS,
);

it('embeds a file that comes back from the trash with the models it lacks', async () => {
  await world.app.http.post(`/v1/media/${files['thrown away']}/restore`).set(alice.headers).expect(200);
  await world.app.eventually(async () => {
    const vectors = await world.vectors(alice, files['thrown away']!);
    return vectors[v2] === 1 ? true : null;
  });
  const media = await world.app.http.get(`/v1/media/${files['thrown away']}`).set(alice.headers).expect(200);
  expect(media.body.status).toBe('completed');
});

it('any number of switches at once leave one active model and one retired one', async () => {
  const answers = await Promise.all(
    [v2, world.v1, v2, world.v1, v2, world.v1].map((id) => world.post(`/${id}/activate`)),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  expect((await world.list()).map(({ state }) => state).sort()).toEqual(['active', 'retired']);
});

it('drops the vectors of a retired model, a while after the switch, and never those of the active one', async () => {
  await world.post(`/${world.v1}/activate`);
  const drop = (id: number) =>
    world.app.http.delete(`/v1/admin/embedding-models/${id}/vectors`).set(world.admin.headers);
  expect((await drop(world.v1)).body.code).toBe('model-active');
  await world.post(`/${v2}/activate`);
  await world.post(`/${world.v1}/activate`);
  expect((await drop(v2)).body.code).toBe('model-just-retired');
  await world.app.database.runAsSystem('start-up', (tx) =>
    tx.embeddingModel.update({ where: { id: v2 }, data: { retiredAt: new Date(Date.now() - 60_000) } }),
  );
  await drop(v2).expect(202);
  const dropped = await world.app.eventually(async () => {
    const model = await world.model(v2);
    return model.dropRequestedAt === null ? model : null;
  });
  expect(dropped).toMatchObject({ segments: 0, state: 'retired', fedUntil: null, embeddedFiles: 0 });
  expect(await world.model(world.v1)).toMatchObject({ state: 'active', isComplete: true });
  // The way back is now by re-embedding; forced, it goes on while files are still found by words alone.
  expect((await world.post(`/${v2}/activate`)).status).toBe(409);
  expect(await world.post(`/${v2}/activate`, { force: true })).toMatchObject({ status: 200 });
  expect((await world.post(`/${v2}/reindex`)).status).toBe(202);
  expect(await world.complete(v2)).toMatchObject({ state: 'active', missingFiles: 0 });
});

it('is the business of administrators, each change on record', async () => {
  for (const [method, path] of [
    ['get', ''],
    ['post', ''],
    ['get', `/${v2}/estimate`],
    ['post', `/${v2}/reindex`],
    ['post', `/${v2}/activate`],
    ['delete', `/${v2}/vectors`],
  ] as const) {
    const answer = await world.app.http[method](`/v1/admin/embedding-models${path}`).set(alice.headers);
    expect([method, path, answer.status]).toEqual([method, path, 403]);
    expect(JSON.stringify(answer.body)).not.toContain('local-hash-embedding');
  }
  const events = await auditEvents();
  expect(events.slice(0, 3)).toEqual([
    'embedding-model.registered',
    'embedding-model.reindex',
    'embedding-model.reindex',
  ]);
  expect(events).toEqual(
    expect.arrayContaining(['embedding-model.activated', 'embedding-model.vectors-dropped']),
  );
});

it('answers a mistake with the field at fault', async () => {
  const cases = [
    [{ ...V2, version: 'v9' }, '/version'],
    [{ ...V2, dimensions: 1000 }, '/dimensions'],
    [{ provider: 'openai', name: 'text-embedding-3-small', dimensions: 1536 }, '/provider'],
    [{ ...V2, dimensions: 4096 }, '/dimensions'],
  ] as const;
  for (const [body, pointer] of cases) {
    const answer = await world.app.http
      .post('/v1/admin/embedding-models')
      .set(world.admin.headers)
      .send(body);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
  }
  expect((await world.post('/31000/activate')).status).toBe(404);
  expect((await world.post('/none/activate')).status).toBe(400);
});
