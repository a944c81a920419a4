import { dispatchDueJobs, missedDependents, queueFigures, expiredLeases } from '../../src/modules/jobs/sql/dispatch.sql.js';
import { changedJobs } from '../../src/modules/jobs/sql/events.sql.js';
import { connectAsSuperuser, connectTestDatabase, ownDatabaseUrls } from '../harness/database.js';
it('measures', async () => {
  const urls = await ownDatabaseUrls('jobs_tmp');
  const database = await connectTestDatabase({ url: urls.runtimeUrl });
  const su = await connectAsSuperuser(urls.adminUrl);
  await su.query(`INSERT INTO users (id, email) SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'u' || n || '@example.test' FROM generate_series(1, 1000) n`);
  await su.query(`ALTER TABLE processing_jobs DISABLE TRIGGER USER`);
  const ins = (n: number, status: string) => su.query(`INSERT INTO processing_jobs (user_id, id, job_type, status, subscription_tier, priority, queued_at, updated_at)
    SELECT ('00000000-0000-7000-8000-' || lpad((CASE WHEN n % 2 = 0 THEN 1 ELSE 1 + n % 1000 END)::text, 12, '0'))::uuid, gen_random_uuid(), 'reindex', '${status}', 'free', 1 + n % 5, now() - n * interval '10 ms', now() - n * interval '1 s' FROM generate_series(1, ${n}) n`);
  await ins(300000, 'completed'); await ins(100000, 'pending');
  await su.query(`ALTER TABLE processing_jobs ENABLE TRIGGER USER`);
  await su.query('VACUUM ANALYZE processing_jobs');
  const time = async (label: string, fn: () => Promise<unknown>) => {
    const ts: number[] = [];
    for (let i = 0; i < 5; i++) { const t = performance.now(); await fn(); ts.push(Math.round(performance.now() - t)); }
    process.stdout.write(`${label}: ${ts.join(' ')} ms\n`);
  };
  const U = '00000000-0000-7000-8000-000000000001';
  const all = async (tag: string) => {
    await time(`${tag} dispatch`, () => database.runAsSystem('jobs.dispatch', async (tx) => { const r = await tx.$queryRaw<unknown[]>(dispatchDueJobs({ window: 100, redeliverAfterMs: 300, jobsPerLevel: 5, rowsPerUser: 25 })); process.stdout.write(r.length + ' '); }));
    await time(`${tag} expired`, () => database.runAsSystem('jobs.dispatch', (tx) => tx.$queryRaw(expiredLeases(100))));
    await time(`${tag} missed`, () => database.runAsSystem('jobs.dispatch', (tx) => tx.$queryRaw(missedDependents(100))));
    await time(`${tag} figures`, () => database.runAsSystem('jobs.dispatch', (tx) => tx.$queryRaw(queueFigures())));
    await time(`${tag} events`, () => database.runAs({ kind: 'user', userId: U }, (tx) => tx.$queryRaw(changedJobs(U, BigInt(Date.now()) * 1000n, null, 200))));
  };
  await all('as is');
  await su.query(`CREATE INDEX i1 ON processing_jobs (user_id, queued_at, id) WHERE status IN ('pending', 'retrying')`);
  await su.query(`CREATE INDEX i2 ON processing_jobs (user_id, updated_at, id)`);
  await su.query(`CREATE INDEX i3 ON processing_jobs (dispatched_at) WHERE status IN ('pending', 'retrying')`);
  await su.query('VACUUM ANALYZE processing_jobs');
  await all('with indexes');
  await su.end(); await database.end();
}, 280000);
