import sharp from 'sharp';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';

describe('Idempotency-Key (B10)', () => {
  let app: TestApp;
  let session: Session;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
  });
  beforeEach(async () => {
    session = await app.createSession({ subscriptionTier: 'ultimate' });
  });
  afterAll(() => app.stop());

  const post = (key: string, body: object, headers = session.headers): ReturnType<TestApp['http']['post']> =>
    app.http.post('/v1/tags').set(headers).set('Idempotency-Key', key).send(body);
  const count = async (): Promise<number> =>
    (await app.http.get('/v1/tags').set(session.headers)).body.items.length as number;

  it('makes many requests at once one effect with one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('k-1', { name: 'one' })));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(19);
    expect(await count()).toBe(1);
  });

  it('refuses the same key with another body', async () => {
    await post('k-2', { name: 'one' }).expect(201);
    const other = await post('k-2', { name: 'two' }).expect(422);
    expect(other.body.code).toBe('idempotency-key-reused');
    expect(await count()).toBe(1);
  });

  it('keeps no failure: the same key may be tried again', async () => {
    const taken = await post('other', { name: 'one' }).expect(201);
    await post('k-3', { name: 'one' }).expect(409);
    await app.http.delete(`/v1/tags/${taken.body.id}`).set(session.headers).expect(204);
    await post('k-3', { name: 'one' }).expect(201);
  });

  it("is each user's own", async () => {
    const other = await app.createSession({ subscriptionTier: 'ultimate' });
    const mine = await post('k-4', { name: 'one' }).expect(201);
    const theirs = await post('k-4', { name: 'one' }, other.headers).expect(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it('refuses keys that are none', async () => {
    for (const key of ['', 'x'.repeat(256), 'with space']) {
      const answer = await post(key, { name: 'one' });
      expect([key.length, answer.status]).toEqual([key.length, 400]);
    }
  });

  it('repeats an answer to the byte', async () => {
    const body = { name: 'Zürich – "été"', description: 'a \\ b, 😀' };
    const first = await post('k-5', body).expect(201);
    const second = await post('k-5', body).expect(201);
    const sent = ({ text, headers }: typeof first): unknown[] => [
      text,
      headers['content-type'],
      headers['content-length'],
    ];
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(sent(second)).toEqual(sent(first));
    expect(first.body).toMatchObject(body);
    // As every other answer has it.
    const listed = await app.http.get('/v1/tags').set(session.headers);
    expect(first.headers['content-type']).toBe(listed.headers['content-type']);
    expect(first.text).toBe(JSON.stringify({ ...listed.body.items[0], mediaCount: 0 }));
  });

  it('keeps the key of what was done, also when its answer cannot be stored', async () => {
    const superuser = await connectAsSuperuser();
    const key = `unkept-${session.id}`;
    await superuser.query(
      `ALTER TABLE idempotency_keys ADD CONSTRAINT refuses_answers CHECK (key <> '${key}' OR status <> 'done')`,
    );
    try {
      const first = await post(key, { name: 'one' }).expect(201);
      expect(first.body).toMatchObject({ name: 'one' });
      const { rows } = await superuser.query('SELECT status FROM idempotency_keys WHERE key = $1', [key]);
      expect(rows).toEqual([{ status: 'running' }]);
      // A second request waits for the answer; it does not do the work again.
      const second = post(key, { name: 'one' }).then((answer) => answer);
      await superuser.query('ALTER TABLE idempotency_keys DROP CONSTRAINT refuses_answers');
      await superuser.query(
        `UPDATE idempotency_keys SET status = 'done', response_status = 201, response_body = '{}' WHERE key = $1`,
        [key],
      );
      expect([(await second).status, (await second).text]).toEqual([201, '{}']);
      expect(await count()).toBe(1);
    } finally {
      await superuser.query('ALTER TABLE idempotency_keys DROP CONSTRAINT IF EXISTS refuses_answers');
      await superuser.end();
    }
  });

  describe('on a form', () => {
    const picture = (background: string): Promise<Buffer> =>
      sharp({ create: { width: 32, height: 32, channels: 3, background } })
        .png({ compressionLevel: 0 })
        .toBuffer();
    const send = (route: string, file: Buffer, key?: string): ReturnType<TestApp['http']['post']> => {
      const request = app.http.post(route).set(session.headers);
      if (key !== undefined) void request.set('Idempotency-Key', key);
      return request.attach('file', file, 'a.png');
    };
    const library = async (): Promise<unknown[]> =>
      (await app.http.get('/v1/media').set(session.headers).expect(200)).body.items;

    it('is refused, so that no file gets the answer of another one of its length', async () => {
      const [red, blue] = [await picture('#ff0000'), await picture('#0000ff')];
      expect(red.length).toBe(blue.length);
      for (const file of [red, blue]) {
        for (const route of ['/v1/media', '/v1/search/by-image']) {
          const answer = await send(route, file, 'k-6').expect(400);
          expect(answer.body.code).toBe('idempotency-key-on-form');
        }
      }
      expect(await library()).toEqual([]);
    });

    it('is not needed: the same bytes are one file, other bytes another', async () => {
      const [red, blue] = [await picture('#ff0000'), await picture('#0000ff')];
      const first = await send('/v1/media', red).expect(201);
      const again = await send('/v1/media', red).expect(200);
      const other = await send('/v1/media', blue).expect(201);
      expect(again.body.id).toBe(first.body.id);
      expect(other.body.id).not.toBe(first.body.id);
      expect(await library()).toHaveLength(2);
    });
  });
});
