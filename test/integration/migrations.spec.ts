import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
    // Every migration is applied three times and taken back twice.
  }, 180_000);

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
