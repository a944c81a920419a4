import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  reopenPostgres,
  startPostgres,
  type ThrowawayPostgres,
} from '../../../test/harness/services/postgres.js';

export const PROJECT_DIR = fileURLToPath(new URL('../../..', import.meta.url));
export const BENCH_DATABASE = 'bench';

/**
 * Settings of a small server with a quarter of the memory as its cache, as PostgreSQL's manual advises, but at most
 * 4 GB. Checkpoints are rare, so that none falls into a measurement. fsync stays off: reading is what is measured.
 */
function serverSettings(): Record<string, string> {
  const megabytes = Math.floor(totalmem() / 2 ** 20);
  return {
    shared_buffers: `${Math.min(4_096, Math.floor(megabytes / 4))}MB`,
    effective_cache_size: `${Math.floor(megabytes / 2)}MB`,
    maintenance_work_mem: `${Math.min(2_048, Math.floor(megabytes / 8))}MB`,
    random_page_cost: '1.1',
    max_wal_size: '8GB',
    checkpoint_timeout: '30min',
  };
}

export interface Cluster {
  postgres: ThrowawayPostgres;
  /** The folder already held a cluster, so it need not be loaded. */
  isReused: boolean;
}

/**
 * A throw-away cluster, or with a folder one that is kept there: made the first time, opened again afterwards.
 * @param folder absolute, or relative to the current folder
 */
export async function openCluster(folder?: string): Promise<Cluster> {
  if (folder === undefined) {
    return { postgres: await startPostgres({ settings: serverSettings() }), isReused: false };
  }
  const path = resolve(folder);
  if (existsSync(path)) return { postgres: await reopenPostgres(path), isReused: true };
  return { postgres: await startPostgres({ settings: serverSettings(), keepIn: path }), isReused: false };
}

/** Superuser on one database of the cluster: loads data and asks the catalogs. */
export function adminUrl(postgres: ThrowawayPostgres, database = BENCH_DATABASE): string {
  const url = new URL(postgres.adminUrl);
  url.pathname = `/${database}`;
  return url.toString();
}
