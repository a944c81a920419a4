import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';

/** The product's own limits, so that a test which changes a plan can put them back. */
type Limits = Record<string, unknown>;

describe('usage and limits', () => {
  let app: TestApp;
  let admin: Session;

  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
    admin = await app.createSession({ role: 'ADMIN' });
  });
  afterAll(() => app.stop());

  const readPlan = async (tier: string): Promise<Limits> =>
    (await app.http.get(`/v1/admin/usage-limits/${tier}`).set(admin.headers).expect(200)).body as Limits;
  const writable = ({ tierName: _t, effectiveFrom: _f, effectiveUntil: _u, ...limits }: Limits): Limits =>
    limits;
  /** Runs `work` while the plan has these limits, then restores it. */
  async function withPlan(tier: string, change: Limits, work: () => Promise<void>): Promise<void> {
    const before = writable(await readPlan(tier));
    await app.http
      .put(`/v1/admin/usage-limits/${tier}`)
      .set(admin.headers)
      .send({ ...before, ...change })
      .expect(200);
    try {
      await work();
    } finally {
      await app.http.put(`/v1/admin/usage-limits/${tier}`).set(admin.headers).send(before).expect(200);
    }
  }

  it('shows a new user the whole free plan', async () => {
    const user = await app.createSession();
    const { body } = await app.http.get('/v1/me/usage').set(user.headers).expect(200);
    expect(body).toEqual({
      tier: 'free',
      period: { start: expect.any(String), end: expect.any(String) },
      uploads: { used: 0, limit: 10, remaining: 10 },
      searches: { used: 0, limit: 50, remaining: 50 },
      storage: { usedBytes: 0, limitBytes: 5_368_709_120, remainingBytes: 5_368_709_120 },
      cost: { amount: expect.stringMatching(/^0(\.0+)?$/), limit: '5.00', currency: 'USD' },
      rateLimits: { api: 100, upload: 5, search: 50 },
    });
  });

  it('shows "unlimited" as null', async () => {
    const user = await app.createSession({ subscriptionTier: 'ultimate' });
    const { body } = await app.http.get('/v1/me/usage').set(user.headers).expect(200);
    expect(body.uploads).toEqual({ used: 0, limit: null, remaining: null });
    expect(body.searches).toEqual({ used: 0, limit: null, remaining: null });
  });

  it('lists the plans to everybody', async () => {
    const { body } = await app.http.get('/v1/billing/plans').expect(200);
    expect(body.items.map((plan: Limits) => plan['tierName'])).toEqual(['free', 'premium', 'ultimate']);
  });

  it('B11: 40 searches at once against a limit of 10: exactly 10', async () => {
    await withPlan(
      'premium',
      { maxSearchesPerMonth: 10, searchRateLimit: 1000, apiRateLimit: 1000 },
      async () => {
        const user = await app.createSession({ subscriptionTier: 'premium' });
        const answers = await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            app.http
              .post('/v1/search')
              .set(user.headers)
              .send({ query: `word ${index}`, mode: 'text' }),
          ),
        );
        const statuses = answers.map((answer) => answer.status);
        expect(statuses.filter((status) => status === 200)).toHaveLength(10);
        expect(statuses.filter((status) => status === 402)).toHaveLength(30);
        const refused = answers.find((answer) => answer.status === 402)?.body;
        expect(refused).toMatchObject({
          code: 'quota-exceeded',
          quota: 'searches',
          limit: 10,
          resetsAt: expect.any(String),
        });
        const { body } = await app.http.get('/v1/me/usage').set(user.headers);
        expect(body.searches).toEqual({ used: 10, limit: 10, remaining: 0 });
      },
    );
  });

  it('counts by the hour, before any quota, and says when to come back', async () => {
    await withPlan('premium', { searchRateLimit: 3, apiRateLimit: 1000 }, async () => {
      const user = await app.createSession({ subscriptionTier: 'premium' });
      const search = (): ReturnType<TestApp['http']['post']> =>
        app.http.post('/v1/search').set(user.headers).send({ query: 'anything', mode: 'text' });
      for (const remaining of ['2', '1', '0'])
        expect((await search().expect(200)).headers['ratelimit-remaining']).toBe(remaining);
      const refused = await search().expect(429);
      expect(refused.body).toMatchObject({ code: 'rate-limited', bucket: 'search', limit: 3 });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3500);
      const { body } = await app.http.get('/v1/me/usage').set(user.headers).expect(200);
      expect(body.searches.used).toBe(3);
    });
  });

  it('counts searches that happened: a refused one is given back to the search limit', async () => {
    await withPlan('premium', { searchRateLimit: 2, apiRateLimit: 1000 }, async () => {
      const user = await app.createSession({ subscriptionTier: 'premium' });
      const search = (query: string): ReturnType<TestApp['http']['post']> =>
        app.http.post('/v1/search').set(user.headers).send({ query, mode: 'text' });
      for (let attempt = 0; attempt < 6; attempt += 1) await search('').expect(400);
      await search('one').expect(200);
      await search('two').expect(200);
      await search('three').expect(429);
    });
  });

  it('C22: a spoofed X-Forwarded-For opens no new limit', async () => {
    const statuses = new Set<number>();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const answer = await app.http
        .post('/v1/auth/login')
        .set('X-Forwarded-For', `10.0.0.${attempt}`)
        .send({ email: 'spoofed@example.test', password: 'guess' });
      statuses.add(answer.status);
    }
    expect(statuses).toEqual(new Set([401, 429]));
  });

  describe('administration of limits', () => {
    it('changes a plan at once, keeps its history, and writes the audit row in the same transaction', async () => {
      const user = await app.createSession();
      const before = writable(await readPlan('free'));
      const update = { ...before, maxUploadsPerMonth: 7 };
      const { body } = await app.http
        .put('/v1/admin/usage-limits/free')
        .set(admin.headers)
        .send(update)
        .expect(200);
      expect(body).toMatchObject({ tierName: 'free', maxUploadsPerMonth: 7, effectiveUntil: null });
      const usage = await app.http.get('/v1/me/usage').set(user.headers).expect(200);
      expect(usage.body.uploads.limit).toBe(7);
      await app.http.put('/v1/admin/usage-limits/free').set(admin.headers).send(before).expect(200);

      const db = await connectAsSuperuser();
      const audit = await db.query(
        "SELECT actor_type, old_values, new_values, risk_level FROM audit_logs WHERE user_id = $1 AND event_type = 'usage-limits.changed' ORDER BY id",
        [admin.id],
      );
      expect(audit.rows.at(-2)).toMatchObject({
        actor_type: 'admin',
        old_values: expect.objectContaining({ maxUploadsPerMonth: 10 }),
        new_values: expect.objectContaining({ maxUploadsPerMonth: 7 }),
        risk_level: 'high',
      });
      const { rows } = await db.query(
        "SELECT count(*)::int AS open FROM usage_limits WHERE tier_name = 'free' AND effective_until IS NULL",
      );
      expect(rows[0].open).toBe(1);
      await db.end();
    });

    it('takes -1 for unlimited, and gives null', async () => {
      const before = writable(await readPlan('ultimate'));
      const { body } = await app.http
        .put('/v1/admin/usage-limits/ultimate')
        .set(admin.headers)
        .send({ ...before, maxUploadsPerMonth: -1, maxStorageBytes: -1 })
        .expect(200);
      expect(body).toMatchObject({ maxUploadsPerMonth: null, maxStorageBytes: null });
      await app.http.put('/v1/admin/usage-limits/ultimate').set(admin.headers).send(before).expect(200);
    });

    it('survives many changes at once: one row stays in force', async () => {
      const before = writable(await readPlan('premium'));
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          app.http
            .put('/v1/admin/usage-limits/premium')
            .set(admin.headers)
            .send({ ...before, maxUploadsPerMonth: 100 + index }),
        ),
      );
      expect(answers.map((answer) => answer.status)).toEqual(Array(6).fill(200));
      const after = await readPlan('premium');
      expect([100, 101, 102, 103, 104, 105]).toContain(after['maxUploadsPerMonth']);
      await app.http.put('/v1/admin/usage-limits/premium').set(admin.headers).send(before).expect(200);
    });

    it('refuses what is not a plan', async () => {
      const before = writable(await readPlan('free'));
      await app.http.get('/v1/admin/usage-limits/gold').set(admin.headers).expect(404);
      for (const wrong of [
        { maxUploadsPerMonth: -2 },
        { maxUploadsPerMonth: 1.5 },
        { maxUploadsPerMonth: '10' },
        { maxFileSizeBytes: 0 },
        { maxStorageBytes: 2 ** 60 },
        { priorityLevel: 11 },
        { costAlertThreshold: 0 },
        { maxMonthlyCost: '1.234' },
        { maxMonthlyCost: 5 },
        { supportLevel: 'gold' },
        { featuresEnabled: 'all_features' },
        { tierName: 'premium' },
        { effectiveFrom: '2020-01-01T00:00:00Z' },
      ]) {
        const answer = await app.http
          .put('/v1/admin/usage-limits/free')
          .set(admin.headers)
          .send({ ...before, ...wrong });
        expect([wrong, answer.status]).toEqual([wrong, 400]);
      }
      const { apiRateLimit: _left, ...incomplete } = before;
      await app.http.put('/v1/admin/usage-limits/free').set(admin.headers).send(incomplete).expect(400);
      expect(writable(await readPlan('free'))).toEqual(before);
    });

    it('is for administrators, not for their API keys', async () => {
      const { body } = await app.http
        .post('/v1/me/api-keys')
        .set(admin.headers)
        .send({ name: 'admin key', scopes: ['account:read', 'account:write'] })
        .expect(201);
      await app.http.get('/v1/admin/usage-limits/free').set('X-API-Key', body.key).expect(403);
    });
  });
});
