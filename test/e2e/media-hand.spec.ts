import { readdir, readFile } from 'node:fs/promises';
import { startTestApp } from '../harness/app.js';
import { connectAsSuperuser } from '../harness/database.js';

it('hand', async () => {
  const app = await startTestApp();
  const su = await connectAsSuperuser();
  const session = await app.createSession({ subscriptionTier: 'ultimate' });
  const lines: string[] = [];
  for (const name of await readdir('/work/shared/media')) {
    if (name.endsWith('.md')) continue;
    const content = await readFile(`/work/shared/media/${name}`);
    const t = performance.now();
    const { status, body } = await app.http.post('/v1/media').set(session.headers).attach('file', content, name);
    lines.push([name, content.length, status, body.code ?? body.mimeType, body.detail ?? `${body.width}x${body.height} ${body.durationSeconds} ${body.takenAt}`, `${Math.round(performance.now() - t)}ms`].join(' | '));
  }
  console.log(lines.join('\n'));
  const big = Buffer.alloc(300_000_000, 1);
  Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex').copy(big);
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => { peak = Math.max(peak, process.memoryUsage().rss); }, 20);
  const t0 = performance.now();
  const r = await app.http.post('/v1/media').set(session.headers).attach('file', big, 'big.jpg');
  clearInterval(timer);
  console.log('big', r.status, r.body, performance.now() - t0, 'ms', (peak - before) / 1e6, 'MB above');
  const t1 = performance.now();
  await app.eventually(async () => {
    const { rows } = await su.query(`SELECT count(*)::int AS n FROM media_files WHERE user_id = $1 AND status IN ('queued','processing','uploaded')`, [session.id]);
    return rows[0].n === 0 ? true : null;
  }, 200_000);
  console.log('all analysed after', performance.now() - t1);
  const { body } = await app.http.get('/v1/media?limit=100').set(session.headers);
  console.log(body.items.map((i: any) => [i.originalFilename, i.status, i.thumbnailUrl !== null, i.jobs.completed + '/' + i.jobs.total, i.aiSummary?.slice(0, 60), i.detectedLabels.slice(0, 3).map((l: any) => l.name)].join(' | ')).join('\n'));
  const v = body.items.find((i: any) => i.fileType === 'video');
  for (const r of ['thumbnail', 'keyframes', 'analyses', 'clips?minScore=0', 'transcript', 'transcript.vtt']) {
    const x = await app.http.get(`/v1/media/${v.id}/${r}`).set(session.headers);
    console.log(r, x.status, x.headers['content-type'], JSON.stringify(x.body).slice(0, 300), x.text?.slice(0, 100));
  }
  const id = body.items[0].id;
  await app.http.delete(`/v1/media/${id}`).set(session.headers);
  const p = await app.http.delete(`/v1/media/${id}?permanent=true`).set(session.headers);
  console.log('purge analysed', p.status);
  await su.end();
  await app.stop();
}, 280_000);
