import { v7 as uuidv7 } from 'uuid';
import { MAX_SAVED_SEARCHES } from '../../src/modules/search/saved-searches.service.js';
import { startTestApp, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';
import { activeModel, asUser } from '../integration/search-fixtures.js';
import { SavedSearchClient } from './saved-search-client.js';

let app: TestApp;
let client: SavedSearchClient;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  client = new SavedSearchClient(app);
  await activeModel(app.database);
}, 120_000);
afterAll(() => app.stop());

describe('keeping searches', () => {
  it('saves what POST /v1/search takes, lists, renames, changes and forgets it, each on record', async () => {
    const session = await app.createSession();
    const search = {
      query: 'dog -cat',
      mode: 'hybrid',
      alpha: 0.3,
      filter: { fileType: 'image', tags: { any: ['Beach'] } },
      in: ['title', 'visual'],
      minScore: 0.1,
    };
    const saved = await client.save(session, '  Dogs  ', {
      ...search,
      limit: 5,
      cursor: 'x',
      sessionId: uuidv7(),
    });
    expect(saved).toMatchObject({ name: 'Dogs', search, lastRunAt: null });
    expect((await client.send(session, 'get', `/${saved.id}`)).body).toEqual(saved);
    const second = await client.save(session, 'Cats', { query: 'cat' });

    const first = await client.send(session, 'get', '?limit=1');
    expect(first.body.items).toEqual([second]);
    const rest = await client.send(session, 'get', `?cursor=${first.body.nextCursor}`);
    expect(rest.body).toEqual({ items: [saved], nextCursor: null });

    const renamed = await client.send(session, 'patch', `/${saved.id}`, { name: 'My dogs' });
    expect(renamed.body).toMatchObject({ name: 'My dogs', search });
    const changed = await client.send(session, 'patch', `/${saved.id}`, { search: { query: 'wolf' } });
    expect(changed.body).toMatchObject({ name: 'My dogs', search: { query: 'wolf' } });
    expect((await client.send(session, 'patch', `/${saved.id}`, {})).body).toEqual(changed.body);
    expect((await client.send(session, 'delete', `/${saved.id}`)).status).toBe(204);
    expect((await client.send(session, 'delete', `/${saved.id}`)).status).toBe(404);
    expect((await client.send(session, 'get', `/${saved.id}`)).status).toBe(404);

    const superuser = await connectAsSuperuser();
    const { rows } = await superuser.query<{ line: string }>(
      `SELECT event_type || ' ' || (metadata ->> 'fields') AS line FROM audit_logs
       WHERE user_id = $1 AND target_id = $2 AND event_type LIKE 'saved-search%' AND metadata ? 'fields' ORDER BY id`,
      [session.id, saved.id],
    );
    await superuser.end();
    expect(rows.map(({ line }) => line)).toEqual([
      'saved-search.created ["name", "search"]',
      'saved-search.updated ["name"]',
      'saved-search.updated ["search"]',
    ]);
  });

  it('keeps names apart whatever their case, per user', async () => {
    const session = await app.createSession();
    const other = await app.createSession();
    await client.save(session, 'Österreich', { query: 'alps' });
    const lakes = await client.save(session, 'Lakes', { query: 'lake' });
    await client.save(other, 'LAKES', { query: 'lake' });
    for (const answer of [
      await client.send(session, 'post', '', { name: 'lakeS', search: { query: 'x' } }),
      await client.send(session, 'post', '', { name: 'öSTERREICH', search: { query: 'x' } }),
      await client.send(session, 'patch', `/${lakes.id}`, { name: 'österreich' }),
    ]) {
      expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([
        409,
        'already-exists',
        '/name',
      ]);
    }
    expect((await client.send(session, 'patch', `/${lakes.id}`, { name: 'LAKES' })).body.name).toBe('LAKES');
    const both = await Promise.all(
      [0, 1].map(() => client.send(session, 'post', '', { name: 'race', search: { query: 'x' } })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it.each([
    [{ search: { query: 'x' } }, '/name'],
    [{ name: ' ', search: { query: 'x' } }, '/name'],
    [{ name: 'a'.repeat(101), search: { query: 'x' } }, '/name'],
    [{ name: 'a\u0000', search: { query: 'x' } }, '/name'],
    [{ name: 'a', search: { query: 'x' }, colour: 'red' }, '/colour'],
    [{ name: 'a' }, '/search'],
    [{ name: 'a', search: 'dogs' }, '/search'],
    [{ name: 'a', search: ['dogs'] }, '/search'],
    [{ name: 'a', search: {} }, '/search/query'],
    [{ name: 'a', search: { query: 'x', colour: 'red' } }, '/search/colour'],
    [{ name: 'a', search: { query: 'x', filter: { fileType: 'hologram' } } }, '/search/filter/fileType'],
    [{ name: 'a', search: { query: 'x', filter: { colour: 'red' } } }, '/search/filter/colour'],
    [{ name: 'a', search: { query: 'x', filter: { tags: { any: [1] } } } }, '/search/filter/tags/any/0'],
    [{ name: 'a', search: { query: '-x', mode: 'semantic' } }, '/search/query'],
    [{ name: 'a', search: { query: 'x', mode: 'semantic', in: ['title'] } }, '/search/in'],
  ])('refuses %j and points at the field', async (body, pointer) => {
    const session = await app.createSession();
    const answer = await client.send(session, 'post', '', body);
    expect([answer.status, answer.type]).toEqual([400, 'application/problem+json']);
    expect(answer.body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
  });

  it('refuses the same in a change', async () => {
    const session = await app.createSession();
    const saved = await client.save(session, 'whole', { query: 'x' });
    for (const [body, pointer] of [
      [{ name: null }, '/name'],
      [{ name: '' }, '/name'],
      [{ search: null }, '/search'],
      [{ search: { query: 'x', filter: { fileType: 'hologram' } } }, '/search/filter/fileType'],
      [{ search: { query: '-x', mode: 'semantic' } }, '/search/query'],
      [{ lastRunAt: null }, '/lastRunAt'],
    ] as const) {
      const { status, body: problem } = await client.send(session, 'patch', `/${saved.id}`, body);
      expect([status, problem.errors[0].pointer]).toEqual([400, pointer]);
    }
    expect((await client.send(session, 'get', `/${saved.id}`)).body).toEqual(saved);
  });

  it('keeps as many as the limit says, also when they come at once', async () => {
    const session = await app.createSession();
    await asUser(session.id, () =>
      app.database.run((tx) =>
        tx.savedSearch.createMany({
          data: Array.from({ length: MAX_SAVED_SEARCHES - 2 }, (_, index) => ({
            userId: session.id,
            id: uuidv7(),
            name: `kept ${index}`,
            search: { query: 'x' },
          })),
        }),
      ),
    );
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        client.send(session, 'post', '', { name: `new ${index}`, search: { query: 'x' } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)!.body.code).toBe('too-many-saved-searches');
  });
});
