import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { adminUrl, BENCH_DATABASE, openCluster } from './bench/search/data/cluster.ts';
import { DataSet, FULL_SHAPE } from './bench/search/data/data-set.ts';
import { measuredUsers, questionsOf } from './bench/search/bench.ts';
import { ProductServer } from './bench/search/http/product-server.ts';
import { ProductSearch } from './bench/search/product.ts';
const { postgres } = await openCluster('/tmp/benchdata');
const data = new DataSet(FULL_SHAPE);
const bench: any = { data, postgres, adminUrl: adminUrl(postgres), runtimeUrl: postgres.runtimeUrl(BENCH_DATABASE), scratch: await mkdtemp('/tmp/cpu-'), options: { queries: 60, quick: false, documents: false } };
const sizes = [100, 1000, 10000, 50000];
const runs = sizes.map((s) => ({ size: s, qs: questionsOf(bench, s) }));
const users = sizes.flatMap((s) => measuredUsers(bench, s));
const server = await ProductServer.start(bench, users, runs.flatMap((r) => r.qs.map((q) => q.vector.floats)));
const conn = await ProductSearch.connect(bench.runtimeUrl);
const TICK = 10;
const stat = (pid: string) => { try { const s = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); return (Number(s[11]) + Number(s[12])) * TICK; } catch { return 0; } };
const serverPid = String((server as any).child.pid);
const pgPids = () => readdirSync('/proc').filter((p) => /^\d+$/.test(p)).filter((p) => { try { return readFileSync(`/proc/${p}/cmdline`, 'utf8').startsWith('postgres:') && readFileSync(`/proc/${p}/cmdline`, 'utf8').includes(' bench '); } catch { return false; } });
const med = (x: number[]) => x.sort((a, b) => a - b)[x.length >> 1]!;
for (let pass = 0; pass < 2; pass++) {
  let first = 0;
  for (const { size, qs } of runs) {
    const http: number[] = [], sql: number[] = [];
    for (const q of qs) sql.push((await conn.search(q.user.id, { vector: q.vector.halfvec })).statementMs);
    const pids = pgPids(); const pg0 = pids.reduce((a, p) => a + stat(p), 0); const n0 = stat(serverPid);
    for (const [i, q] of qs.entries()) http.push((await server.search(q.user, first + i, 20)).milliseconds);
    const n = (stat(serverPid) - n0) / qs.length, p = (pids.reduce((a, x) => a + stat(x), 0) - pg0) / qs.length;
    console.log(pass, size, 'sql p50', med(sql).toFixed(2), 'http p50', med(http).toFixed(2), 'adds', (med(http) - med(sql)).toFixed(2), 'node cpu', n.toFixed(2), 'pg cpu', p.toFixed(2));
    first += qs.length;
  }
}
await conn.close(); await server.stop(); await postgres.shutDown();
