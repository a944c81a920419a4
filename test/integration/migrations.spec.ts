import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ivfflatLists } from '../../scripts/db/ivfflat-lists.js';
import { newestAppliedMigration, takeBack } from '../../scripts/db/take-back.js';
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { migrationNames } from '../../src/infrastructure/database/pending-migrations.js';
import { ownDatabaseUrls } from '../harness/database.js';
import { grants } from '../rls/catalog.js';
import { catalogLines, ownerUrlOf } from './schema-catalog.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATIONS_DIR = path.join(PROJECT_DIR, 'prisma', 'migrations');

describe('migrations (C32, 001-60, 003-12)', () => {
  let ownerUrl: string;
  let client: pg.Client;
  beforeAll(async () => {
    ownerUrl = ownerUrlOf(await ownDatabaseUrls('migrations'));
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

  it('a second deploy changes nothing, and status says so', async () => {
    const before = await everything();
    expect(await runPrismaCli(['migrate', 'deploy'], ownerUrl, PROJECT_DIR)).toContain(
      'No pending migrations',
    );
    expect(await everything()).toEqual(before);
    expect(await runPrismaCli(['migrate', 'status'], ownerUrl, PROJECT_DIR)).toContain('up to date');
  });

  it('every step can be taken back and applied again: the catalog is the same', async () => {
    const names = migrationNames(MIGRATIONS_DIR);
    const whole = await everything();
    const afterStep = new Map<string, string[]>();
    // Down one by one; a picture of what each leaves, where the seeded tables still exist.
    for (const name of [...names].reverse()) {
      expect(await newestAppliedMigration(client)).toBe(name);
      if (await hasSeedTables()) afterStep.set(name, await everything());
      await takeBack(client, name, MIGRATIONS_DIR);
    }
    expect(afterStep.size).toBeGreaterThan(4);
    const { rows } = await client.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
         AND relname NOT LIKE '\\_prisma%' AND relname NOT LIKE 'pg\\_stat%'`,
    );
    expect(rows).toEqual([]);
    await runPrismaCli(['migrate', 'deploy'], ownerUrl, PROJECT_DIR);
    expect(await everything()).toEqual(whole);
    // And down again: each step leaves what the step before it had made.
    for (const name of [...names].reverse()) {
      const expected = afterStep.get(name);
      if (expected) expect(await everything()).toEqual(expected);
      await takeBack(client, name, MIGRATIONS_DIR);
    }
    await runPrismaCli(['migrate', 'deploy'], ownerUrl, PROJECT_DIR);
  });

  const hasSeedTables = async (): Promise<boolean> => {
    const { rows } = await client.query<{ present: boolean }>(
      `SELECT to_regclass('usage_limits') IS NOT NULL AND to_regclass('categories') IS NOT NULL AS present`,
    );
    return rows[0]?.present ?? false;
  };

  it('each migration has its down.sql', () => {
    for (const name of migrationNames(MIGRATIONS_DIR)) {
      expect(readdirSync(path.join(MIGRATIONS_DIR, name)).sort()).toEqual(['down.sql', 'migration.sql']);
    }
  });

  it('a down.sql that fails changes nothing', async () => {
    await client.query('CREATE VIEW in_the_way AS SELECT user_id FROM search_docs');
    const before = await everything();
    await expect(
      takeBack(
        client,
        migrationNames(MIGRATIONS_DIR).find((n) => n.endsWith('_search')) ?? '',
        MIGRATIONS_DIR,
      ),
    ).rejects.toThrow('depend');
    expect(await everything()).toEqual(before);
    await client.query('DROP VIEW in_the_way');
  });

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

  it('000-26, C50: db:test and db:report answer', async () => {
    const test = await script('db/test-database.ts');
    expect(test).toMatchObject({ code: 0, output: expect.stringContaining('ok   vector dimensions: 3') });
    const report = await script('db/report.ts', ['--json']);
    expect(report.code).toBe(0);
    const figures = JSON.parse(report.output) as {
      tables: { name: string }[];
      indexes: unknown[];
      vectors: { ivfflatLists: number };
    };
    expect(figures.tables.map(({ name }) => name)).toContain('media_files');
    expect(figures.indexes.length).toBeGreaterThan(40);
    expect(figures.vectors.ivfflatLists).toBe(10);
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

  it.each([
    [0, 10],
    [500, 30],
    [1_000, 50],
    [5_500, 75],
    [10_000, 100],
    [55_000, 300],
    [100_000, 500],
    [250_000, 500],
    [1_000_000, 1000],
  ])('003-08: %d vectors take %d lists', (rows, lists) => {
    expect(ivfflatLists(rows)).toBe(lists);
  });

  it('000-28: 100 lists below a million, then the square root', () => {
    expect([0, 999_999, 1_000_000, 4_000_000].map((rows) => ivfflatLists(rows, 'document-000'))).toEqual([
      100, 100, 1000, 2000,
    ]);
    expect(() => ivfflatLists(-1)).toThrow(RangeError);
  });
});
