import { v7 as uuidv7 } from 'uuid';
import { ProviderError } from '../../src/infrastructure/ai/ai.types.js';
import type { SavedSearchRunResponse } from '../../src/modules/search/dto/saved-searches.dto.js';
import { connectAsSuperuser } from '../harness/database.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import {
  activeModel,
  asUser,
  embedText,
  insertEmbeddings,
  insertMedia,
  type MediaFixture,
} from '../integration/search-fixtures.js';
import { SavedSearchClient } from './saved-search-client.js';

let app: TestApp;
let modelId: number;
let client: SavedSearchClient;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  client = new SavedSearchClient(app);
  modelId = await activeModel(app.database);
}, 120_000);
afterAll(() => app.stop());

async function add(session: Session, media: MediaFixture): Promise<string> {
  return asUser(session.id, () => app.database.run((tx) => insertMedia(tx, session.id, media)));
}

async function embed(session: Session, mediaFileId: string, text: string): Promise<void> {
  const vector = await embedText(text);
  await asUser(session.id, () =>
    app.database.run((tx) => insertEmbeddings(tx, session.id, modelId, [{ mediaFileId, vector }])),
  );
}

const newIds = (answer: SavedSearchRunResponse): string[] => answer.newSinceLastRun!.mediaFileIds;

describe('running them', () => {
  it('001-59: first run: nothing is new; then what came, what was analysed later, and what was edited to fit', async () => {
    const session = await app.createSession();
    const seen = await add(session, { title: 'red lighthouse' });
    const pending = await add(session, { title: 'IMG 1' });
    const edited = await add(session, { title: 'IMG 2' });
    const saved = await client.save(session, 'Lighthouses', { query: 'lighthouse' });

    const first = await client.run(session, saved.id);
    expect(first).toMatchObject({
      savedSearchId: saved.id,
      total: 1,
      newSinceLastRun: { since: null, count: 0, mediaFileIds: [], isCapped: false },
    });
    expect(first.items.map((item) => [item.media.id, item.isNew])).toEqual([[seen, false]]);

    const again = await client.run(session, saved.id, {});
    expect(again.newSinceLastRun).toMatchObject({ count: 0 });
    expect(Date.parse(again.newSinceLastRun!.since!)).toBeLessThanOrEqual(Date.now());

    const fresh = await add(session, { title: 'lighthouse at night' });
    await embed(session, pending, 'lighthouse');
    await asUser(session.id, () =>
      app.database.run((tx) =>
        tx.mediaFile.update({
          where: { userId_id: { userId: session.id, id: edited } },
          data: { title: 'old lighthouse' },
          select: { id: true },
        }),
      ),
    );
    const look = await client.run(session, saved.id, { markSeen: false });
    const third = await client.run(session, saved.id);
    expect(newIds(third).sort()).toEqual([fresh, pending, edited].sort());
    expect(newIds(look)).toEqual(newIds(third));
    expect(third.newSinceLastRun).toMatchObject({ count: 3, since: expect.any(String) });
    expect(third.items.filter((item) => item.isNew).map((item) => item.media.id)).toEqual(newIds(third));
    const { body: kept } = await client.send(session, 'get', `/${saved.id}`);
    expect(Date.parse(kept.lastRunAt)).toBeGreaterThan(Date.parse(again.newSinceLastRun!.since!));
    expect(newIds(await client.run(session, saved.id))).toEqual([]);

    // Each was charged and is in the history as any search is.
    expect(await client.searchesUsed(session)).toBe(5);
    const { body: history } = await app.http.get('/v1/searches').set(session.headers);
    expect(history.items.map((item: { query: string }) => item.query)).toEqual(Array(5).fill('lighthouse'));
    const click = await app.http
      .post(`/v1/searches/${third.searchId}/clicks`)
      .set(session.headers)
      .send({ mediaFileId: fresh });
    expect(click.status).toBe(200);
  });

  it('a deleted file does not matter; one that left the result is new when it comes back after a run', async () => {
    const session = await app.createSession();
    const id = await add(session, { title: 'windmill' });
    const stays = await add(session, { title: 'windmill in fog' });
    const saved = await client.save(session, 'Mills', { query: 'windmill' });
    const trash = (deletedAt: Date | null) =>
      asUser(session.id, () =>
        app.database.run((tx) =>
          tx.mediaFile.update({
            where: { userId_id: { userId: session.id, id } },
            data: { deletedAt },
            select: { id: true },
          }),
        ),
      );
    await client.run(session, saved.id);
    await trash(new Date());
    await trash(null);
    expect(newIds(await client.run(session, saved.id))).toEqual([]);
    await trash(new Date());
    expect(await client.run(session, saved.id)).toMatchObject({ total: 1, newSinceLastRun: { count: 0 } });
    await trash(null);
    expect(newIds(await client.run(session, saved.id))).toEqual([id]);
    await asUser(session.id, () => app.database.run((tx) => tx.mediaFile.deleteMany({ where: { id } })));
    expect((await client.run(session, saved.id)).items.map((item) => item.media.id)).toEqual([stays]);
    const superuser = await connectAsSuperuser();
    const { rows } = await superuser.query('SELECT seen_media_ids FROM saved_searches WHERE id = $1', [
      saved.id,
    ]);
    await superuser.end();
    expect(rows[0].seen_media_ids).toEqual([stays]);
  });

  it('further pages are not charged and tell what the first page told, until another run begins', async () => {
    const session = await app.createSession();
    for (let index = 0; index < 4; index++) await add(session, { title: `canal ${index}` });
    const saved = await client.save(session, 'Canals', { query: 'canal' });
    await client.run(session, saved.id);
    const fresh = [await add(session, { title: 'canal a' }), await add(session, { title: 'canal b' })];
    const first = await client.run(session, saved.id, { limit: 3 });
    expect(newIds(first).sort()).toEqual([...fresh].sort());
    const second = await client.run(session, saved.id, { limit: 3, cursor: first.nextCursor });
    expect(second.newSinceLastRun).toEqual(first.newSinceLastRun);
    expect(second.searchId).toBe(first.searchId);
    const marked = [...first.items, ...second.items]
      .filter((item) => item.isNew)
      .map((item) => item.media.id);
    expect(marked.sort()).toEqual([...fresh].sort());
    expect(await client.searchesUsed(session)).toBe(2);

    const other = await client.run(session, saved.id, { limit: 3 });
    expect(newIds(other)).toEqual([]);
    const late = await client.run(session, saved.id, { limit: 3, cursor: first.nextCursor });
    expect(late.newSinceLastRun).toBeNull();
    expect(late.items.map((item) => item.isNew)).toEqual([null, null, null]);

    const refused = await client.send(session, 'post', `/${saved.id}/run`, { cursor: 'nonsense' });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid-cursor']);
    expect(refused.body.errors).toEqual([{ pointer: '/cursor', detail: refused.body.detail }]);
    const another = await client.save(session, 'Other', { query: 'port' });
    const foreign = await client.send(session, 'post', `/${another.id}/run`, { cursor: first.nextCursor });
    expect([foreign.status, foreign.body.code]).toEqual([400, 'invalid-cursor']);
    for (const body of [{ limit: 0 }, { limit: 'x' }, { query: 'port' }, { markSeen: 'yes' }]) {
      expect((await client.send(session, 'post', `/${saved.id}/run`, body)).status).toBe(400);
    }
  });

  it('of runs at the same time, exactly one reports a new file, and the next reports none', async () => {
    const session = await app.createSession();
    await add(session, { title: 'viaduct' });
    const saved = await client.save(session, 'Viaducts', { query: 'viaduct' });
    const firsts = await Promise.all([client.run(session, saved.id), client.run(session, saved.id)]);
    expect(firsts.map((answer) => answer.newSinceLastRun!.count)).toEqual([0, 0]);
    const fresh = await add(session, { title: 'viaduct in spring' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.run(session, saved.id)));
    expect(answers.flatMap(newIds)).toEqual([fresh]);
    expect(answers.map((answer) => answer.total)).toEqual(Array(5).fill(2));
    expect(newIds(await client.run(session, saved.id))).toEqual([]);
  });

  it('a change of the search begins anew, a new name does not', async () => {
    const session = await app.createSession();
    await add(session, { title: 'tram' });
    const saved = await client.save(session, 'Rails', { query: 'tram' });
    await client.run(session, saved.id);
    const train = await add(session, { title: 'train' });
    await client.send(session, 'patch', `/${saved.id}`, { name: 'On rails', search: { query: 'tram' } });
    expect((await client.run(session, saved.id)).newSinceLastRun!.since).not.toBeNull();
    const { body } = await client.send(session, 'patch', `/${saved.id}`, { search: { query: 'train' } });
    expect(body.lastRunAt).toBeNull();
    const anew = await client.run(session, saved.id);
    expect(anew.items.map((item) => item.media.id)).toEqual([train]);
    expect(anew.newSinceLastRun).toMatchObject({ since: null, count: 0 });
  });

  it('a run on words alone takes nothing away from what was seen', async () => {
    const session = await app.createSession();
    const byMeaning = await add(session, { title: 'x' });
    await embed(session, byMeaning, 'sailboat');
    const saved = await client.save(session, 'Boats', { query: 'sailboat' });
    expect((await client.run(session, saved.id)).total).toBe(1);
    const { textEmbedder } = app.runtime.ai;
    const original = textEmbedder.embed;
    textEmbedder.embed = () =>
      Promise.reject(new ProviderError('provider-unavailable', 'down', true, 'Wait.'));
    const byWord = await add(session, { title: 'sailboat' });
    try {
      const degraded = await client.run(session, saved.id);
      expect([degraded.degraded, degraded.total]).toEqual(['semantic-unavailable', 1]);
      expect(newIds(degraded)).toEqual([byWord]);
    } finally {
      textEmbedder.embed = original;
    }
    const whole = await client.run(session, saved.id);
    expect([whole.total, newIds(whole)]).toEqual([2, []]);
  });

  it('says how far it compares when the result is larger than what is looked at', async () => {
    const session = await app.createSession();
    await asUser(session.id, () =>
      app.database.run(
        (tx) => tx.$executeRaw`
          INSERT INTO media_files (user_id, id, filename, original_filename, title, file_type, mime_type,
            file_size_bytes, file_hash, storage_provider, s3_bucket, s3_key, status)
          SELECT ${session.id}::uuid, gen_random_uuid(), 'f', 'f.jpg', 'capybara ' || n, 'image', 'image/jpeg', 1,
            lpad(to_hex(n), 64, '0'), 'local', 'b', ${session.id} || '/' || n, 'completed' FROM generate_series(1, 1100) n`,
      ),
    );
    const saved = await client.save(session, 'Capybaras', { query: 'capybara', mode: 'text' });
    const first = await client.run(session, saved.id, { limit: 1 });
    expect(first).toMatchObject({ total: 1100, newSinceLastRun: { isCapped: true, count: 0 } });
    expect((await client.run(session, saved.id, { limit: 1 })).newSinceLastRun).toMatchObject({
      isCapped: true,
      count: 0,
    });
  });

  it('answers 409 with the field when the stored search is not valid any more, and charges nothing', async () => {
    const session = await app.createSession();
    const outdated: [object, string][] = [
      [{ query: 'x', filter: { fileType: 'hologram' } }, '/search/filter/fileType'],
      [{ query: 'x', abolished: 1 }, '/search/abolished'],
      [{ query: '-x', mode: 'semantic' }, '/search/query'],
    ];
    for (const [search, pointer] of outdated) {
      const saved = await client.save(session, `old ${pointer}`, { query: 'x' });
      await asUser(session.id, () =>
        app.database.run((tx) =>
          tx.savedSearch.update({
            where: { userId_id: { userId: session.id, id: saved.id } },
            data: { search },
          }),
        ),
      );
      const answer = await client.send(session, 'post', `/${saved.id}/run`);
      expect([answer.status, answer.body.code]).toEqual([409, 'saved-search-outdated']);
      expect(answer.body.errors).toEqual([expect.objectContaining({ pointer })]);
      expect((await client.send(session, 'get', `/${saved.id}`)).status).toBe(200);
    }
    expect(await client.searchesUsed(session)).toBe(0);
  });

  it('is the owner’s alone: everybody else gets 404, and their own search finds their own files', async () => {
    const alice = await app.createSession();
    const bob = await app.createSession();
    await add(alice, { title: 'castle' });
    const own = await add(bob, { title: 'castle' });
    const saved = await client.save(alice, 'Castles', { query: 'castle' });
    for (const [method, path, body] of [
      ['get', '', undefined],
      ['patch', '', { name: 'mine' }],
      ['delete', '', undefined],
      ['post', '/run', undefined],
    ] as const) {
      const [foreign, unknown] = [
        await client.send(bob, method, `/${saved.id}${path}`, body),
        await client.send(bob, method, `/${uuidv7()}${path}`, body),
      ];
      expect([method, path, foreign.status, foreign.body.detail]).toEqual([
        method,
        path,
        404,
        unknown.body.detail,
      ]);
    }
    expect((await client.send(bob, 'get', '')).body.items).toEqual([]);
    expect(await client.searchesUsed(bob)).toBe(0);
    const mine = await client.save(bob, 'Castles', { query: 'castle' });
    expect((await client.run(bob, mine.id)).items.map((item) => item.media.id)).toEqual([own]);
    expect((await client.send(alice, 'get', `/${saved.id}`)).body).toEqual(saved);
  });
});
