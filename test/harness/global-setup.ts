import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbeddedDatabase } from '../../src/infrastructure/database/embedded/embedded-database.js';
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import type { TestServices } from './test-services.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Once per test run. Embedded: a prepared (migrated) PGlite folder, kept between runs as long as the migrations do not
 * change; each Jest worker copies it. Services: a throw-away PostgreSQL with a migrated template database, and a Redis.
 */
export default async function globalSetup(): Promise<void> {
  const runDir = await mkdtemp(path.join(os.tmpdir(), 'media-search-test-'));
  const services: TestServices = { kind: 'embedded', runDir };
  if (process.env['TEST_DATABASE'] === 'services') {
    const { startServices } = await import('./start-services.js');
    Object.assign(services, await startServices(PROJECT_DIR));
  } else {
    services.templateDir = await preparedFolder();
  }
  process.env['TEST_SERVICES'] = JSON.stringify(services);
}

async function preparedFolder(): Promise<string> {
  const folder = path.join(os.tmpdir(), `media-search-template-${await migrationsHash()}`);
  if (await exists(path.join(folder, 'postgres'))) return folder;
  const building = await mkdtemp(path.join(os.tmpdir(), 'media-search-building-'));
  const database = await EmbeddedDatabase.open(building);
  try {
    await runPrismaCli(['migrate', 'deploy'], database.url, PROJECT_DIR);
  } finally {
    await database.close();
  }
  // Renamed when complete, so that a run cut short never leaves half a template behind.
  await rename(building, folder).catch(async () => {
    await mkdir(folder, { recursive: true });
    await cp(building, folder, { recursive: true });
    await rm(building, { recursive: true, force: true });
  });
  return folder;
}

async function migrationsHash(): Promise<string> {
  const hash = createHash('sha256');
  const root = path.join(PROJECT_DIR, 'prisma', 'migrations');
  for (const entry of (await readdir(root, { recursive: true })).sort()) {
    if (entry.endsWith('migration.sql')) hash.update(entry).update(await readFile(path.join(root, entry)));
  }
  hash.update(await readFile(path.join(PROJECT_DIR, 'package-lock.json')));
  return hash.digest('hex').slice(0, 16);
}

async function exists(file: string): Promise<boolean> {
  return readdir(file).then(
    () => true,
    () => false,
  );
}
