import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { newestAppliedMigration, takeBack } from '../../scripts/db/take-back.js';
import type { Database } from '../../src/infrastructure/database/database.js';
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { migrationNames } from '../../src/infrastructure/database/pending-migrations.js';
import { SpellingService } from '../../src/modules/search/spelling.service.js';
import { addRow, addUser } from '../factories/rows.js';
import {
  connectAsSuperuser,
  connectTestDatabase,
  ownDatabaseUrls,
  type TestDatabaseUrls,
} from '../harness/database.js';
import { ownerUrlOf } from './schema-catalog.js';
import { asUser } from './search-fixtures.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATIONS_DIR = path.join(PROJECT_DIR, 'prisma', 'migrations');
const FIRST_BACKFILL = '20261126000300_search_words';

describe('migrations of a database that holds files already', () => {
  let urls: TestDatabaseUrls;
  let superuser: pg.Client;
  let database: Database;
  let [alice, bob] = ['', ''];

  beforeAll(async () => {
    urls = await ownDatabaseUrls('backfill');
    superuser = await connectAsSuperuser(urls.adminUrl);
    // Back to the version before the tables that are filled from the files.
    for (const name of migrationNames(MIGRATIONS_DIR).reverse()) {
      if (name < FIRST_BACKFILL) break;
      await takeBack(superuser, name, MIGRATIONS_DIR);
    }
    expect((await newestAppliedMigration(superuser))! < FIRST_BACKFILL).toBe(true);
    [alice, bob] = [await addUser(superuser), await addUser(superuser)];
    await addRow(superuser, 'media_files', alice, {
      ...{ title: 'A wolverine in the snow', original_filename: 'IMG_1.jpg', ai_summary: 'Été en Provence' },
      ...{ detected_labels: JSON.stringify([{ name: 'carnivore', confidence: 0.9, kind: 'object' }]) },
      ...{ dominant_colors: JSON.stringify([{ name: 'white', hex: '#ffffff', share: 0.8 }]) },
      ...{ taken_at: '2025-12-31T23:30:00Z', width: 4, height: 3, detected_text: ['EXIT'] },
    });
    await addRow(superuser, 'media_files', alice, {
      ...{ title: 'Xylophone', original_filename: 'IMG_2.jpg', deleted_at: new Date().toISOString() },
    });
    await addRow(superuser, 'media_files', bob, {
      ...{ title: 'Orchestra rehearsal', original_filename: 'IMG_3.jpg' },
    });
    for (const path of ['/v1/tags', '/v1/me/api-keys']) {
      await addRow(superuser, 'idempotency_keys', bob, {
        ...{
          key: path,
          path,
          status: 'done',
          response_status: 201,
          response_body: '{"id": 1, "key": "ams_x"}',
        },
      });
    }
    // As the owner of the tables, who is bound by the policies as well and has no user.
    await runPrismaCli(['migrate', 'deploy'], ownerUrlOf(urls), PROJECT_DIR);
    database = await connectTestDatabase({ url: urls.runtimeUrl });
  }, 120_000);
  afterAll(async () => {
    await superuser.end();
    await database.end();
  });

  it('has the words of each user’s files, and those of no file in the trash', async () => {
    const { rows } = await superuser.query<{ user_id: string; word: string }>(
      'SELECT user_id, word FROM search_words ORDER BY word',
    );
    const wordsOf = (user: string): string[] =>
      rows.filter((row) => row.user_id === user).map(({ word }) => word);
    expect(wordsOf(alice)).toEqual([
      ...['carnivore', 'ete', 'exit', 'img', 'jpg', 'provence', 'snow', 'the', 'wolverine'],
    ]);
    expect(wordsOf(bob)).toEqual(['img', 'jpg', 'orchestra', 'rehearsal']);
    expect(rows).toHaveLength(13);
  });

  it('corrects typing errors out of the user’s own words', async () => {
    const spelling = new SpellingService();
    const correct = async (user: string, terms: string): Promise<string | undefined> =>
      (await asUser(user, () => database.run((tx) => spelling.correct(tx, terms))))[0]?.terms;
    expect(await correct(alice, 'wolverien')).toBe('wolverine');
    expect(await correct(bob, 'orchstra')).toBe('orchestra');
    expect(await correct(bob, 'wolverien')).toBeUndefined();
    expect(await correct(alice, 'xylophnoe')).toBeUndefined();
  });

  it('has a row of what facets count for each file, and keeps it', async () => {
    const facets = async (): Promise<unknown[]> =>
      (
        await superuser.query(
          `SELECT f.user_id, f.month::text, f.orientation, f.has_text, f.labels, f.colors
           FROM media_facets f JOIN media_files m ON m.user_id = f.user_id AND m.id = f.media_file_id
           WHERE m.title <> 'Xylophone' ORDER BY m.title`,
        )
      ).rows;
    const hers = {
      ...{ user_id: alice, month: '2025-12-01', orientation: 'landscape', has_text: true },
      ...{ labels: ['carnivore'], colors: ['white'] },
    };
    const his = { user_id: bob, orientation: null, has_text: false, labels: [], colors: [] };
    expect(await facets()).toEqual([hers, expect.objectContaining(his)]);
    await asUser(alice, () =>
      database.run((tx) =>
        tx.mediaFile.updateMany({ where: { userId: alice }, data: { dominantColors: [{ name: 'blue' }] } }),
      ),
    );
    expect(await facets()).toEqual([{ ...hers, colors: ['blue'] }, expect.objectContaining(his)]);
  });

  it('B10: has the answers of Idempotency-Keys, without those that hold a new API key', async () => {
    const { rows } = await superuser.query(
      'SELECT path, response_status, response_body FROM idempotency_keys WHERE user_id = $1 ORDER BY path',
      [bob],
    );
    expect(rows).toEqual([
      { path: '/v1/me/api-keys', response_status: 201, response_body: null },
      { path: '/v1/tags', response_status: 201, response_body: '{"id": 1, "key": "ams_x"}' },
    ]);
  });

  it('B10: takes what processes of the release before still write', async () => {
    const { rows } = await superuser.query(
      `UPDATE idempotency_keys SET response_body = $2::text::json::jsonb WHERE user_id = $1 AND path = '/v1/tags'
       RETURNING response_body`,
      [bob, '{"id":2}'],
    );
    expect(rows).toEqual([{ response_body: '{"id": 2}' }]);
  });

  it('binds the owner by the policies again', async () => {
    const { rows } = await superuser.query(
      `SELECT relname FROM pg_class WHERE relname IN ('media_files', 'media_facets', 'search_words') AND NOT relforcerowsecurity`,
    );
    expect(rows).toEqual([]);
  });
});
