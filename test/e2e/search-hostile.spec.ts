import fc from 'fast-check';
import { FACETS } from '../../src/modules/search/sql/facets.sql.js';
import { SEARCH_SORTS } from '../../src/modules/search/sql/sorted-media.sql.js';
import type { Session } from '../harness/app.js';
import { hostileFilter } from './hostile-filters.js';
import { useLibrary } from './use-library.js';

const library = useLibrary();

const add = (session: Session, title: string, tags: string[] = []): Promise<string> =>
  library.add(session, { title, tags });

const post = (session: Session, body: object) =>
  library.app.http.post('/v1/search').set(session.headers).send(body);

describe('C17: hostile input', () => {
  it.each(['a'.repeat(10_000), 'NUL \u0000', '\ud800', '   ', '- - -', '""'])(
    'is refused with 400 (%#)',
    async (query) => {
      const session = await library.app.createSession();
      const response = await post(session, { query });
      expect(response.status).toBe(400);
      expect(response.type).toBe('application/problem+json');
      expect(response.body.errors[0].pointer).toBe('/query');
    },
  );

  it('never ends in 500, and finds nobody else’s file', async () => {
    const session = await library.app.createSession({ subscriptionTier: 'ultimate' });
    const other = await library.app.createSession();
    const secret = await add(other, 'dog cat canary', ['canary']);
    await add(session, 'dog & cat');
    const oddities = fc.constantFrom(
      "'; DROP TABLE media_files; --",
      `" OR 1=1 --`,
      'dog & | ! <-> cat',
      '-"',
      '"""',
      '- - -',
      ':* dog:*',
      "dog:A & 'cat'",
      '\\',
      '((((',
      'or or or',
      '-dog -cat',
      '%_%',
      '{"$ne":1}',
      '😀 🐕',
      'ﷺ \u202e canary',
      'canary',
      'ß Æ ı İ',
    );
    const query = fc.oneof(
      { arbitrary: oddities, weight: 3 },
      { arbitrary: fc.string({ minLength: 1, maxLength: 60 }), weight: 2 },
      { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 1 },
    );
    const share = fc.constantFrom(0, 0.3, 1, 1e-300);
    const valid = fc.record(
      {
        mode: fc.constantFrom('hybrid', 'text', 'hybrid', 'semantic'),
        alpha: share,
        minScore: fc.constantFrom(0, 0.3),
        limit: fc.integer({ min: 1, max: 100 }),
        in: fc.uniqueArray(fc.constantFrom('title', 'visual', 'text', 'speech'), { minLength: 1 }),
        sort: fc.constantFrom(...SEARCH_SORTS),
        order: fc.constantFrom('asc', 'desc'),
        cutoff: fc.constant('auto'),
        facets: fc.uniqueArray(fc.constantFrom(...FACETS)),
        within: fc.record({ query: oddities, seconds: fc.constantFrom(0, 1e-300, 600) }),
        filter: hostileFilter,
      },
      { requiredKeys: [] },
    );
    const garbage = fc.record(
      {
        mode: fc.jsonValue(),
        alpha: fc.oneof(fc.double(), fc.string()),
        limit: fc.oneof(fc.double(), fc.integer()),
        cursor: fc.string({ maxLength: 80 }),
        in: fc.array(fc.string(), { maxLength: 3 }),
        filter: fc.oneof(
          fc.jsonValue(),
          fc.record({ tags: fc.jsonValue(), labels: fc.jsonValue(), uploadedTo: fc.string() }),
          fc.record({ categories: fc.array(fc.string({ unit: 'binary', maxLength: 20 })) }),
        ),
        sort: fc.string(),
        facets: fc.array(fc.string(), { maxLength: 3 }),
        within: fc.oneof(fc.jsonValue(), fc.record({ query: fc.string(), seconds: fc.double() })),
        cutoff: fc.jsonValue(),
        sessionId: fc.string(),
        __proto__: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const body = fc
      .tuple(
        query,
        valid,
        fc.oneof({ arbitrary: fc.constant({}), weight: 2 }, { arbitrary: garbage, weight: 1 }),
      )
      .map(([text, good, bad]) => ({ query: text, ...good, ...bad }));
    const statuses = new Map<number, number>();
    /** Conditions and orders of the requests that were not refused: those reached the database. */
    const searched = new Set<string>();
    await fc.assert(
      fc.asyncProperty(body, async (request) => {
        const response = await post(session, request);
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        if (response.status === 200) {
          for (const [field, value] of Object.entries(request.filter ?? {})) if (value) searched.add(field);
          if (request.sort) searched.add(request.sort as string);
        }
        expect([200, 400]).toContain(response.status);
        expect(JSON.stringify(response.body)).not.toContain(secret);
      }),
      { numRuns: 250, seed: 20261121 },
    );
    expect(statuses.get(200)).toBeGreaterThan(20);
    expect(statuses.get(400)).toBeGreaterThan(20);
    expect([...searched]).toEqual(
      expect.arrayContaining([
        ...['and', 'or', 'not', 'colors', 'durationSeconds', 'fileSizeBytes', 'customMetadata'],
        ...SEARCH_SORTS,
      ]),
    );
  }, 180_000);

  it('neither do the neighbours of the search: composed ones, suggestions, explanations, saved searches', async () => {
    const session = await library.app.createSession({ subscriptionTier: 'ultimate' });
    const other = await library.app.createSession();
    const secret = await add(other, 'parrot canary', ['canary']);
    const own = await add(session, 'parrot');
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('\ud800', 'a\u0000b', "'", '%', '\\', '-"', '__proto__', 'parrot'),
    );
    const id = fc.oneof(fc.constantFrom(own, secret, secret.toUpperCase(), 'x', ''), text);
    const part = fc.record(
      { text, mediaFileId: id, weight: fc.oneof(fc.double(), fc.constant(1)) },
      {
        requiredKeys: [],
      },
    );
    const call = fc.oneof(
      fc.record({
        path: fc.constant('/v1/search/similar'),
        body: fc.record({
          include: fc.array(part, { maxLength: 3 }),
          exclude: fc.array(part, { maxLength: 2 }),
        }),
      }),
      fc.record({
        path: fc.constant('/v1/saved-searches'),
        body: fc.record({
          name: text,
          search: fc.oneof(fc.jsonValue(), fc.record({ query: text, filter: fc.jsonValue() })),
        }),
      }),
      text.map((prefix) => ({
        path: `/v1/search/suggestions?q=${encodeURIComponent(prefix.toWellFormed())}`,
        body: null,
      })),
      fc.tuple(id, id).map(([searchId, mediaId]) => ({
        path: `/v1/search/${encodeURIComponent(searchId.toWellFormed()) || 'x'}/explain?mediaId=${encodeURIComponent(mediaId.toWellFormed())}`,
        body: null,
      })),
    );
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(call, async ({ path, body }) => {
        const request = body === null ? library.app.http.get(path) : library.app.http.post(path).send(body);
        const response = await request.set(session.headers);
        statuses.add(response.status);
        expect([200, 201, 400, 404, 409]).toContain(response.status);
        if (response.status < 300) expect(JSON.stringify(response.body)).not.toContain(secret);
      }),
      { numRuns: 200, seed: 20261126 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400]));
  }, 180_000);
});
