import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { startTestApp, type TestApp } from '../harness/app.js';

const PROJECT = 'test-project';

describe('Firebase ID tokens', () => {
  let app: TestApp;
  let server: Server;
  let fetches = 0;
  let published: JWK[] = [];
  let up = true;
  const keys = new Map<string, CryptoKey>();

  async function newKey(kid: string): Promise<JWK> {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    keys.set(kid, privateKey);
    return { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  }

  async function token(claims: Record<string, unknown> = {}, kid = 'one'): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      iss: `https://securetoken.google.com/${PROJECT}`,
      aud: PROJECT,
      sub: 'firebase-user',
      email: 'person@example.test',
      email_verified: true,
      name: 'A Person',
      auth_time: now,
      iat: now,
      exp: now + 600,
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(keys.get(kid) as CryptoKey);
  }

  const me = async (bearer: string): Promise<{ status: number; body: Record<string, unknown> }> =>
    app.http.get('/v1/me').set('Authorization', `Bearer ${bearer}`);

  beforeAll(async () => {
    published = [await newKey('one')];
    server = createServer((_request, response) => {
      fetches += 1;
      response.statusCode = up ? 200 : 503;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: published }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    app = await startTestApp(
      { FIREBASE_PROJECT_ID: PROJECT, FIREBASE_JWKS_URL: `http://127.0.0.1:${port}/keys` },
      { jobs: false },
    );
  });
  afterAll(async () => {
    await app.stop();
    server.close();
  });

  it('create the account once, and find it again', async () => {
    const claims = { sub: `user-${Date.now()}`, email: `fb-${Date.now()}@example.test` };
    const first = await me(await token(claims));
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      email: claims.email,
      displayName: 'A Person',
      emailVerified: true,
      role: 'USER',
    });
    const second = await me(await token(claims));
    expect(second.body['id']).toBe(first.body['id']);
  });

  it('create one account for many first requests at once', async () => {
    const bearer = await token({ sub: `race-${Date.now()}`, email: `race-${Date.now()}@example.test` });
    const answers = await Promise.all(Array.from({ length: 6 }, () => me(bearer)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(6).fill(200));
    expect(new Set(answers.map((answer) => answer.body['id'])).size).toBe(1);
  });

  it('join an existing account only when the address is verified', async () => {
    const owner = await app.createSession();
    const stranger = await token({ sub: `s-${Date.now()}`, email: owner.email, email_verified: false });
    expect((await me(stranger)).status).toBe(401);
    const verified = await token({ sub: `v-${Date.now()}`, email: owner.email, email_verified: true });
    expect((await me(verified)).body['id']).toBe(owner.id);
  });

  it('are refused when anything about them is wrong', async () => {
    const now = Math.floor(Date.now() / 1000);
    const forged = {
      issuer: await token({ iss: 'https://securetoken.google.com/other-project' }),
      audience: await token({ aud: 'other-project' }),
      expired: await token({ exp: now - 60 }),
      'without auth_time': await token({ auth_time: undefined }),
      'without e-mail': await token({ email: undefined }),
      'e-mail of another type': await token({ email: { a: 1 } }),
      'empty subject': await token({ sub: '' }),
      'endless subject': await token({ sub: 'x'.repeat(200) }),
    };
    const statuses = Object.fromEntries(
      await Promise.all(
        Object.entries(forged).map(async ([name, bearer]) => [name, (await me(bearer)).status] as const),
      ),
    );
    expect(statuses).toEqual(Object.fromEntries(Object.keys(forged).map((name) => [name, 401])));
  });

  it('C2: unknown key ids cause no flood of requests, and known ones pass while the publisher is down', async () => {
    await me(await token());
    const before = fetches;
    await newKey('unpublished');
    const unknown = await token({}, 'unpublished');
    for (let attempt = 0; attempt < 20; attempt += 1) expect((await me(unknown)).status).toBe(401);
    expect(fetches - before).toBeLessThanOrEqual(1);
    up = false;
    expect((await me(await token())).status).toBe(200);
    up = true;
  });

  it('are refused when no project is configured', async () => {
    const other = await startTestApp({}, { jobs: false });
    const answer = await other.http.get('/v1/me').set('Authorization', `Bearer ${await token()}`);
    expect(answer.status).toBe(401);
    await other.stop();
  });
});
