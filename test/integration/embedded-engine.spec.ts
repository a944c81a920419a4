import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { EmbeddedDatabase } from '../../src/infrastructure/database/embedded/embedded-database.js';
import { testServices } from '../harness/test-services.js';

/** The engine's own promises: one server per folder, nothing acknowledged is lost. Runs on every kind of suite. */
describe('the embedded engine', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'media-search-engine-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

  async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
    const client = new pg.Client(url);
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function untilGone(pid: number): Promise<void> {
    for (let waited = 0; waited < 10_000; waited += 20) {
      try {
        process.kill(pid, 0);
      } catch {
        return;
      }
      await sleep(20);
    }
    throw new Error(`process ${pid} is still there`);
  }

  it('is one server per folder, however many open it at once', async () => {
    const opened = await Promise.all([
      EmbeddedDatabase.open(folder),
      EmbeddedDatabase.open(folder),
      EmbeddedDatabase.open(folder),
    ]);
    expect(new Set(opened.map(({ url }) => url)).size).toBe(1);
    expect(opened.filter(({ isOwner }) => isOwner)).toHaveLength(1);
    await Promise.all(opened.filter(({ isOwner }) => !isOwner).map((database) => database.close()));
    expect(await query(opened[0]!.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await opened.find(({ isOwner }) => isOwner)?.close();
  });

  it('can be opened again right after it was closed, also while the old one still writes', async () => {
    const first = await EmbeddedDatabase.open(folder);
    await query(first.url, 'CREATE TABLE kept (i int); INSERT INTO kept SELECT generate_series(1, 5000)');
    const closing = first.close();
    const second = await EmbeddedDatabase.open(folder);
    await closing;
    // Either the old server answered once more and is gone now, or a new one waited for its end.
    const third = await EmbeddedDatabase.open(folder);
    expect(await query(third.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 5000 }]);
    await third.close();
    await second.close();
  });

  it('loses nothing acknowledged when its process is killed', async () => {
    const first = await EmbeddedDatabase.open(folder);
    await query(first.url, 'CREATE TABLE kept (i int)');
    for (let i = 0; i < 50; i += 1) await query(first.url, `INSERT INTO kept VALUES (${i})`);
    const { pid } = JSON.parse(await readFile(path.join(folder, 'embedded-database.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(pid, 'SIGKILL');
    await untilGone(pid);
    const second = await EmbeddedDatabase.open(folder);
    expect(await query(second.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 50 }]);
    await second.close();
    await first.close();
  });

  it('opens a prepared folder with its migrations', async () => {
    const { templateDir } = testServices();
    // On services there is no prepared folder: an empty engine says so.
    if (templateDir) await cp(templateDir, folder, { recursive: true });
    const database = await EmbeddedDatabase.open(folder);
    const [row] = await query<{ migrated: boolean }>(
      database.url,
      "SELECT to_regclass('public.media_files') IS NOT NULL AS migrated",
    );
    expect(row?.migrated).toBe(templateDir !== undefined);
    await database.close();
  });
});
