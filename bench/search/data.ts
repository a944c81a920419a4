/**
 * The benchmark's data alone, for work on the SQL. Three commands; <folder> is made by `load` and kept:
 *
 *   npm run bench:data -- load <folder> [--quick]     makes a cluster there and loads it, and leaves it running
 *   npm run bench:data -- start <folder>              starts it again if it is not running; prints its URLs
 *   npm run bench:data -- stop <folder>               stops it
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ThrowawayPostgres } from '../../test/harness/services/postgres.js';
import { adminUrl, BENCH_DATABASE, openCluster } from './data/cluster.js';
import { DataSet, FULL_SHAPE, QUICK_SHAPE } from './data/data-set.js';
import { loadDataSet } from './data/load.js';

function describe(postgres: ThrowawayPostgres, data: DataSet): void {
  console.log(`runtime login  ${postgres.runtimeUrl(BENCH_DATABASE)}`);
  console.log(`owner          ${postgres.ownerUrl(BENCH_DATABASE)}`);
  console.log(`superuser      ${adminUrl(postgres)}`);
  for (const { size } of data.shape.sizes) console.log(`user of ${size}: ${data.usersOf(size)[0]!.id}`);
}

const [command, folder, flag] = process.argv.slice(2);
const data = new DataSet(flag === '--quick' ? QUICK_SHAPE : FULL_SHAPE);
if (command === 'load' && folder) {
  if (existsSync(folder)) throw new Error(`${folder} is there already`);
  const { postgres } = await openCluster(folder);
  await loadDataSet(postgres, BENCH_DATABASE, data, console.log);
  describe(postgres, data);
} else if ((command === 'start' || command === 'stop') && folder && existsSync(resolve(folder))) {
  const { postgres } = await openCluster(folder);
  if (command === 'stop') await postgres.shutDown();
  else describe(postgres, data);
} else {
  console.error('usage: npm run bench:data -- load|start|stop <folder> [--quick]');
  process.exitCode = 2;
}
