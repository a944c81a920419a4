import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrationNames } from '../../src/infrastructure/database/pending-migrations.js';
import { addRow, addUser } from '../factories/rows.js';
import { connectAsSuperuser, ownDatabaseUrls, type TestDatabaseUrls } from '../harness/database.js';
import { grants } from '../rls/catalog.js';
import { catalogLines, ownerUrlOf } from './schema-catalog.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATIONS_DIR = path.join(PROJECT_DIR, 'prisma', 'migrations');

// A test starts up to five programs one after the other, most of them with Prisma's own beside Node.
jest.setTimeout(180_000);

describe('the database scripts of package.json (C32, C50, C62)', () => {
  let urls: TestDatabaseUrls;
  let ownerUrl: string;
  let client: pg.Client;
  beforeAll(async () => {
    urls = await ownDatabaseUrls('migration_scripts');
    ownerUrl = ownerUrlOf(urls);
    client = new pg.Client({ connectionString: ownerUrl });
    await client.connect();
  });
  afterAll(() => client.end());

  const everything = async (): Promise<string[]> => [
    ...(await catalogLines(client)),
    ...(await grants(client)),
  ];

  /** Runs one of the scripts as npm does; gives its exit code and what it printed. */
  function script(
    file: string,
    args: string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number | null; output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(
        process.execPath,
        ['--no-warnings', '--import', './scripts/typescript-hooks.mjs', `scripts/${file}`, ...args],
        {
          cwd: PROJECT_DIR,
          env: {
            ...process.env,
            NODE_OPTIONS: '',
            NODE_ENV: 'test',
            DATABASE_MIGRATION_URL: ownerUrl,
            ...env,
          },
        },
      );
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output }));
    });
  }

  it('db:migrate:down takes the newest one back, db:migrate:status tells, db:migrate applies it again', async () => {
    const newest = migrationNames(MIGRATIONS_DIR).at(-1) ?? '';
    expect(await script('db/down.ts', [], { NODE_ENV: 'production' })).toMatchObject({
      code: 1,
      output: expect.stringContaining('--yes'),
    });
    expect(await script('db/down.ts')).toMatchObject({ code: 0, output: expect.stringContaining(newest) });
    expect(await script('db/status.ts')).toMatchObject({ code: 1, output: expect.stringContaining(newest) });
    expect(await script('db/migrate.ts')).toMatchObject({ code: 0, output: expect.stringContaining(newest) });
    expect(await script('db/status.ts')).toMatchObject({
      code: 0,
      output: expect.stringContaining('up to date'),
    });
  });

  it('db:reset empties and migrates; it and db:push refuse production', async () => {
    for (const file of ['db/reset.ts', 'db/push.ts']) {
      expect(await script(file, [], { NODE_ENV: 'production' })).toMatchObject({
        code: 1,
        output: expect.stringContaining('refuses NODE_ENV=production'),
      });
    }
    const before = await everything();
    await client.query(`INSERT INTO users (email) VALUES ('left@example.test')`).catch(() => undefined);
    expect((await script('db/reset.ts')).code).toBe(0);
    expect(await everything()).toEqual(before);
    const { rows } = await client.query(
      `SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'users' AND n_live_tup > 0`,
    );
    expect(rows).toEqual([]);
  });

  it('db:push changes nothing on a migrated database, and says what to do instead', async () => {
    const before = await everything();
    const pushed = await script('db/push.ts');
    expect(pushed).toMatchObject({ code: 1, output: expect.stringContaining('npm run db:migrate') });
    expect(await everything()).toEqual(before);
  });

  it('000-26, C50: db:test and db:report answer', async () => {
    const test = await script('db/test-database.ts');
    expect(test).toMatchObject({ code: 0, output: expect.stringContaining('ok   vector dimensions: 3') });
    const superuser = await connectAsSuperuser(urls.adminUrl);
    for (let user = 0; user < 2; user += 1)
      await addRow(superuser, 'media_embeddings', await addUser(superuser));
    await superuser.end();
    const report = await script('db/report.ts', ['--json']);
    expect(report.code).toBe(0);
    const figures = JSON.parse(report.output) as {
      tables: { name: string }[];
      indexes: unknown[];
      vectors: unknown;
    };
    expect(figures.tables.map(({ name }) => name)).toContain('media_files');
    expect(figures.indexes.length).toBeGreaterThan(40);
    // Of all users, though the owner of the tables sees none of their rows.
    expect(figures.vectors).toEqual({ rows: 2, ivfflatLists: 10 });
    expect((await script('db/report.ts')).output).toMatch(/Slow|Slowest/);
  });

  it('C62: validate-env names every fault at once and shows no secret', async () => {
    const env = {
      JWT_SECRET: 'a-secret-that-is-long-enough-for-hs256',
      PORT: '70000',
      STORAGE_DRIVER: 'tape',
    };
    const bad = await script('validate-env.ts', [], env);
    expect(bad.code).toBe(1);
    expect(bad.output).toMatch(/FAULT PORT/);
    expect(bad.output).toMatch(/FAULT STORAGE_DRIVER/);
    expect(bad.output).not.toContain('long-enough');
    expect(bad.output).not.toContain(ownerUrl);
    const good = await script('validate-env.ts', [], { JWT_SECRET: env.JWT_SECRET });
    expect(good).toMatchObject({ code: 0, output: expect.stringContaining('The configuration is valid.') });
  });
});
