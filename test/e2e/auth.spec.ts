import { createHmac, generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { REMEMBERED_MS } from '../../src/infrastructure/auth/account-memory.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

const PASSWORD = 'correct horse battery';
const SECRET = new TextEncoder().encode('test-secret-of-at-least-thirty-two-characters');

describe('accounts and sessions', () => {
  let app: TestApp;
  let counter = 0;
  const newEmail = (): string => `auth-${process.pid}-${Date.now()}-${(counter += 1)}@example.test`;
  const register = (email: string, password = PASSWORD): ReturnType<TestApp['http']['post']> =>
    app.http.post('/v1/auth/register').send({ email, password });
  const me = (token: string): ReturnType<TestApp['http']['get']> =>
    app.http.get('/v1/me').set('Authorization', `Bearer ${token}`);

  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
  });
  afterAll(() => app.stop());

  it('registers, logs in and reads the profile', async () => {
    const email = newEmail();
    const registered = await register(email).expect(201);
    expect(registered.body).toEqual({
      user: { id: expect.any(String), email, role: 'USER', subscriptionTier: 'free' },
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      expiresInSeconds: 900,
    });
    const loggedIn = await app.http
      .post('/v1/auth/login')
      .send({ email: email.toUpperCase(), password: PASSWORD })
      .expect(200);
    const profile = await me(loggedIn.body.accessToken).expect(200);
    expect(profile.body).toMatchObject({
      id: registered.body.user.id,
      email,
      emailVerified: false,
      subscriptionTier: 'free',
    });
    expect(JSON.stringify(profile.body)).not.toMatch(/argon2|hash|secret/i);
  });

  it('keeps addresses unique whatever their case, and stores domains in punycode', async () => {
    const email = newEmail();
    await register(email).expect(201);
    const second = await register(email.toUpperCase()).expect(409);
    expect(second.body.code).toBe('email-taken');
    const idn = await register(`user-${Date.now()}@münchen.test`).expect(201);
    expect(idn.body.user.email).toMatch(/@xn--mnchen-3ya\.test$/);
  });

  it.each([
    [{}, '/email'],
    [{ email: 'no-at-sign', password: PASSWORD }, '/email'],
    [{ email: 'a b@example.test', password: PASSWORD }, '/email'],
    [{ email: 'x@example.test', password: 'short' }, '/password'],
    [{ email: 'x@example.test', password: PASSWORD, role: 'ADMIN' }, '/role'],
    [{ email: 'x@example.test', password: PASSWORD, subscriptionTier: 'ultimate' }, '/subscriptionTier'],
    [{ email: ['x@example.test'], password: PASSWORD }, '/email'],
    [{ email: 'x@example.test', password: { $gt: '' } }, '/password'],
  ])('C6: refuses a registration with %j', async (body, pointer) => {
    const answer = await app.http.post('/v1/auth/register').send(body).expect(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'validation-failed',
      requestId: expect.any(String),
    });
    expect(answer.body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
  });

  it('C5: answers alike for an unknown address and a wrong password', async () => {
    const email = newEmail();
    await register(email).expect(201);
    const wrong = await app.http
      .post('/v1/auth/login')
      .send({ email, password: 'not the password' })
      .expect(401);
    const unknown = await app.http
      .post('/v1/auth/login')
      .send({ email: newEmail(), password: 'not the password' })
      .expect(401);
    const comparable = ({ requestId: _requestId, ...body }: Record<string, unknown>): unknown => body;
    expect(comparable(wrong.body)).toEqual(comparable(unknown.body));
  });

  it('C5: makes guessing wait after ten attempts on one address', async () => {
    const email = newEmail();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt += 1) {
      statuses.push((await app.http.post('/v1/auth/login').send({ email, password: 'guess' })).status);
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429]);
  });

  it('rotates refresh tokens, and ends the session when one is used twice', async () => {
    const { body: first } = await register(newEmail()).expect(201);
    const refresh = (refreshToken: string): ReturnType<TestApp['http']['post']> =>
      app.http.post('/v1/auth/refresh').send({ refreshToken });
    const { body: second } = await refresh(first.refreshToken).expect(200);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    await me(second.accessToken).expect(200);
    await refresh(first.refreshToken).expect(401);
    // The thief's and the owner's tokens are both void now.
    await refresh(second.refreshToken).expect(401);
    await me(second.accessToken).expect(401);
  });

  it('lets exactly one of many simultaneous refreshes win', async () => {
    const { body } = await register(newEmail()).expect(201);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        app.http.post('/v1/auth/refresh').send({ refreshToken: body.refreshToken }),
      ),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  });

  it('logs out: access and refresh tokens are void at once', async () => {
    const { body } = await register(newEmail()).expect(201);
    await app.http.post('/v1/auth/logout').send({ refreshToken: body.refreshToken }).expect(204);
    await me(body.accessToken).expect(401);
    await app.http.post('/v1/auth/refresh').send({ refreshToken: body.refreshToken }).expect(401);
    await app.http.post('/v1/auth/logout').send({ refreshToken: 'unknown' }).expect(204);
  });

  describe('C1: forged tokens', () => {
    let session: Session;
    beforeAll(async () => {
      session = await app.createSession();
    });

    it('are all refused', async () => {
      const [headerPart = '', payloadPart = '', signaturePart = ''] = session.accessToken.split('.');
      const payload = JSON.parse(Buffer.from(payloadPart, 'base64url').toString()) as Record<string, unknown>;
      const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const withHeader = (header: object, key: Uint8Array | string = SECRET): string => {
        const body = `${encode(header)}.${payloadPart}`;
        return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
      };
      const signed = (
        claims: Record<string, unknown>,
        header: Record<string, unknown> = {},
      ): Promise<string> =>
        new SignJWT({ ...payload, ...claims })
          .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
          .sign(SECRET);
      const without = (claim: string): Promise<string> => {
        const { [claim]: _left, ...rest } = payload;
        return new SignJWT(rest).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(SECRET);
      };
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const jwk = await exportJWK(publicKey);
      const rsa = (header: Record<string, unknown>): Promise<string> =>
        new SignJWT(payload).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', ...header }).sign(privateKey);
      const now = Math.floor(Date.now() / 1000);
      const forged: Record<string, string> = {
        empty: '.',
        'two parts': `${headerPart}.${payloadPart}`,
        'four parts': `${session.accessToken}.x`,
        'no signature': `${headerPart}.${payloadPart}.`,
        'changed signature': `${headerPart}.${payloadPart}.${signaturePart.slice(0, -4)}AAAA`,
        'cut signature': `${headerPart}.${payloadPart}.${signaturePart.slice(0, 20)}`,
        'changed payload': `${headerPart}.${encode({ ...payload, sub: '01900000-0000-7000-8000-000000000000' })}.${signaturePart}`,
        'not base64': `${headerPart}.%%%.${signaturePart}`,
        'not json': `${headerPart}.${Buffer.from('hello').toString('base64url')}.${signaturePart}`,
        none: new UnsecuredJWT(payload).encode(),
        'none with signature': withHeader({ alg: 'none', typ: 'at+jwt' }),
        'None in capitals': withHeader({ alg: 'NONE', typ: 'at+jwt' }),
        'no alg': withHeader({ typ: 'at+jwt' }),
        'alg HS384': await new SignJWT(payload)
          .setProtectedHeader({ alg: 'HS384', typ: 'at+jwt' })
          .sign(SECRET),
        'alg HS512': await new SignJWT(payload)
          .setProtectedHeader({ alg: 'HS512', typ: 'at+jwt' })
          .sign(SECRET),
        RS256: await rsa({}),
        'RS256 with jwk': await rsa({ jwk }),
        'RS256 with jku': await rsa({ jku: 'http://127.0.0.1:1/keys' }),
        'RS256 with x5u': await rsa({ x5u: 'http://127.0.0.1:1/cert' }),
        'RS256 with kid traversal': await rsa({ kid: '../../../dev/null' }),
        'RS256 with kid injection': await rsa({ kid: "x' UNION SELECT 'key" }),
        'HS256 with the RSA public key': withHeader(
          { alg: 'HS256', typ: 'at+jwt' },
          publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        ),
        'empty key': withHeader({ alg: 'HS256', typ: 'at+jwt' }, ''),
        'another key': withHeader({ alg: 'HS256', typ: 'at+jwt' }, 'another-secret-of-thirty-two-characters'),
        'crit header': await signed({}, { crit: ['exp'], exp: now }).catch(() =>
          withHeader({ alg: 'HS256', crit: ['b64'], b64: false }),
        ),
        'type JWT': await signed({}, { typ: 'JWT' }),
        'type refresh': await signed({}, { typ: 'rt+jwt' }),
        'no type': await signed({}, { typ: undefined }),
        expired: await signed({ exp: now - 1 }),
        'expired long ago': await signed({ exp: 1 }),
        'exp as text': await signed({ exp: 'tomorrow' }).catch(() => 'a.b.c'),
        'not before': await signed({ nbf: now + 3600 }),
        'wrong issuer': await signed({ iss: 'somebody-else' }),
        'wrong audience': await signed({ aud: 'another-api' }),
        'audience list without us': await signed({ aud: ['a', 'b'] }),
        'no issuer': await without('iss'),
        'no audience': await without('aud'),
        'no subject': await without('sub'),
        'no session': await without('sid'),
        'no expiry': await without('exp'),
        'no time of issue': await without('iat'),
        'unknown user': await signed({ sub: '01900000-0000-7000-8000-000000000000' }),
        'unknown session': await signed({ sid: '01900000-0000-7000-8000-000000000000' }),
        'NUL in the middle': `${headerPart}.${payloadPart}%00.${signaturePart}`,
      };
      const answers = Object.fromEntries(
        await Promise.all(
          Object.entries(forged).map(async ([name, token]) => [name, (await me(token)).status] as const),
        ),
      );
      expect(Object.keys(answers).length).toBeGreaterThanOrEqual(40);
      expect(answers).toEqual(Object.fromEntries(Object.keys(forged).map((name) => [name, 401])));
      await me(session.accessToken).expect(200);
    });

    it('with ids that are no ids do no harm', async () => {
      const token = await new SignJWT({ sid: "x'; DROP TABLE users" })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
        .setSubject('not-a-uuid')
        .setIssuer('ai-media-search')
        .setAudience('ai-media-search-api')
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(SECRET);
      expect((await me(token)).status).toBe(401);
    });

    it.each([
      ['nothing', {}],
      ['another scheme', { Authorization: 'Basic YTpi' }],
      ['no token', { Authorization: 'Bearer' }],
      ['two tokens', { Authorization: 'Bearer a b' }],
      ['a huge token', { Authorization: `Bearer ${'a'.repeat(9000)}` }],
      ['both credentials', { Authorization: 'Bearer a', 'X-API-Key': 'b' }],
    ])('%s is no credential', async (_name, headers) => {
      const answer = await app.http.get('/v1/me').set(headers);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    });
  });

  describe('API keys (C4)', () => {
    let session: Session;
    beforeEach(async () => {
      session = await app.createSession();
    });
    const create = async (body: object): Promise<{ id: string; key: string }> =>
      (await app.http.post('/v1/me/api-keys').set(session.headers).send(body).expect(201)).body;

    it('are shown once, stored as a hash, limited to their scopes and revoked at once', async () => {
      const { id, key } = await create({ name: 'laptop', scopes: ['media:read'] });
      expect(key).toMatch(/^ams_[\w-]{43}_[0-9a-f]{8}$/);
      const listed = await app.http.get('/v1/me/api-keys').set(session.headers).expect(200);
      expect(listed.body.items).toEqual([
        expect.objectContaining({ id, name: 'laptop', prefix: key.slice(0, 12) }),
      ]);
      expect(JSON.stringify(listed.body)).not.toContain(key);

      await app.http.get('/v1/media').set('X-API-Key', key).expect(200);
      const refused = await app.http.get('/v1/me').set('X-API-Key', key).expect(403);
      expect(refused.body.detail).toContain('account:read');
      await app.http.delete(`/v1/me/api-keys/${id}`).set(session.headers).expect(204);
      await app.http.get('/v1/media').set('X-API-Key', key).expect(401);
      await app.http.delete(`/v1/me/api-keys/${id}`).set(session.headers).expect(404);
    });

    it('cannot manage keys, whatever their scopes', async () => {
      const { key } = await create({ name: 'all', scopes: ['account:read', 'account:write'] });
      await app.http.get('/v1/me').set('X-API-Key', key).expect(200);
      await app.http.get('/v1/me/api-keys').set('X-API-Key', key).expect(403);
      await app.http
        .post('/v1/me/api-keys')
        .set('X-API-Key', key)
        .send({ name: 'x', scopes: ['search'] })
        .expect(403);
    });

    it('of somebody else are not there', async () => {
      const { id } = await create({ name: 'mine', scopes: ['search'] });
      const other = await app.createSession();
      await app.http.delete(`/v1/me/api-keys/${id}`).set(other.headers).expect(404);
    });

    it('expire, and are checked before they are looked up', async () => {
      const { id, key } = await create({
        name: 'soon',
        scopes: ['media:read'],
        expiresAt: '2999-01-01T00:00:00Z',
      });
      await app.http.get('/v1/media').set('X-API-Key', key).expect(200);
      const { connectAsSuperuser } = await import('../harness/database.js');
      const admin = await connectAsSuperuser();
      await admin.query("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1", [id]);
      await admin.end();
      // What was looked up within the last second may still count.
      await sleep(REMEMBERED_MS);
      await app.http.get('/v1/media').set('X-API-Key', key).expect(401);
      await app.http
        .get('/v1/media')
        .set('X-API-Key', `${key.slice(0, -1)}x`)
        .expect(401);
    });

    it.each([
      [{ name: 'x' }],
      [{ name: 'x', scopes: [] }],
      [{ name: 'x', scopes: ['everything'] }],
      [{ name: '', scopes: ['search'] }],
      [{ name: 'x', scopes: ['search'], expiresAt: '2001-01-01T00:00:00Z' }],
      [{ name: 'x', scopes: ['search'], userId: '01900000-0000-7000-8000-000000000000' }],
    ])('are refused for %j', async (body) => {
      await app.http.post('/v1/me/api-keys').set(session.headers).send(body).expect(400);
    });
  });
});
