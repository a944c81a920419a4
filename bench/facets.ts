/**
 * npm run bench:facets: times the facets of a search on a throw-away PostgreSQL, for one user with 20,000 files beside
 * another with as many, as the application asks. Prints a table and writes it to bench/results/; EXPLAIN=1 prints the
 * plan of all facets of the whole library instead.
 */
import { join } from 'node:path';
import type pg from 'pg';
import { Prisma } from '../src/infrastructure/database/generated/client.js';
import { FACETS, facetsQuery, type Facet } from '../src/modules/search/sql/facets.sql.js';
import { PROJECT_DIR } from './search/data/cluster.js';
import { machineFacts, Report, round } from './search/report.js';
import { copyNames, withThrowawayDatabase } from './throwaway-database.js';
import { costOf, inUserTransaction, printPlan } from './user-transaction.js';

const FILES = 20_000;
const RUNS = 9;

/** One user: 5 tags of 300, 1 or 2 categories of 10, 10 labels of 800 and 4 colours a file; every tenth a video. */
async function load(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO users (email) VALUES ('bench-' || gen_random_uuid() || '@example.test') RETURNING id`,
  );
  const userId = rows[0]!.id;
  await client.query(
    `INSERT INTO media_files (user_id, filename, original_filename, title, file_type, mime_type, file_size_bytes,
       file_hash, storage_provider, s3_bucket, s3_key, status, width, height, duration_seconds, taken_at, sentiment,
       detected_text, transcription_text, ai_summary, dominant_colors)
     SELECT $1::uuid, 'f', 'f.jpg', 'picture ' || n, CASE WHEN n % 10 = 0 THEN 'video' ELSE 'image' END, 'image/jpeg',
       1000 + (random() * 30e6)::bigint, lpad(to_hex(n), 64, '0'), 'local', 'b', $1 || '/' || n, 'completed',
       4000 - n % 3 * 1000, 3000, CASE WHEN n % 10 = 0 THEN random() * 4000 END,
       CASE WHEN n % 4 > 0 THEN '2010-01-01'::timestamptz + random() * interval '16 years' END,
       (ARRAY['POSITIVE', 'NEUTRAL', NULL])[1 + n % 3], CASE WHEN n % 5 = 0 THEN '{EXIT}'::text[] ELSE '{}' END,
       CASE WHEN n % 10 = 0 THEN repeat('so they said ', 300) END, repeat('A picture of something. ', 10),
       (SELECT jsonb_agg(jsonb_build_object('name', 'colour ' || (n * 7 + c * 5) % 22, 'hex', '#102030', 'share', 0.2))
        FROM generate_series(1, 4) c)
     FROM generate_series(1, $2::int) n`,
    [userId, FILES],
  );
  await client.query(
    `INSERT INTO tags (user_id, name) SELECT $1::uuid, 'Tag ' || n FROM generate_series(1, 300) n`,
    [userId],
  );
  const links = `(SELECT id, row_number() OVER () AS n FROM media_files WHERE user_id = $1::uuid) m`;
  await client.query(
    `INSERT INTO media_tags (user_id, media_file_id, tag_id)
     SELECT $1::uuid, m.id, t.id FROM ${links} CROSS JOIN generate_series(1, 5) s
     JOIN (SELECT id, row_number() OVER () AS n FROM tags WHERE user_id = $1::uuid) t ON t.n = 1 + (m.n * 13 + s * s * 31) % 300
     ON CONFLICT DO NOTHING`,
    [userId],
  );
  await client.query(
    `INSERT INTO media_categories (user_id, media_file_id, category_id)
     SELECT $1::uuid, m.id, k.id FROM ${links} CROSS JOIN generate_series(1, 2) s
     JOIN (SELECT id, row_number() OVER () AS n FROM categories) k ON k.n = 1 + (m.n + s * (m.n % 2)) % 10
     ON CONFLICT DO NOTHING`,
    [userId],
  );
  await client.query(
    `INSERT INTO media_labels (user_id, media_file_id, label, confidence, kind)
     SELECT $1::uuid, m.id, 'label ' || (m.n * 17 + s * s * 7) % 800, 0.5, 'object'
     FROM ${links} CROSS JOIN generate_series(1, 10) s ON CONFLICT DO NOTHING`,
    [userId],
  );
  await copyNames(client, userId);
  return userId;
}

const NAME_FACETS = ['tags', 'categories', 'labels', 'colors'] as const satisfies readonly Facet[];
const SETS: Record<string, readonly Facet[]> = {
  'all 14': FACETS,
  'the 10 of one value': FACETS.filter((facet) => !NAME_FACETS.some((name) => name === facet)),
  ...Object.fromEntries(NAME_FACETS.map((facet) => [facet, [facet]])),
};

/** @param files how many of the user's files were found; the search hands them over as a list */
async function statement(
  client: pg.Client,
  userId: string,
  files: number,
  facets: readonly Facet[],
): Promise<Prisma.Sql> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM media_files WHERE user_id = $1 AND deleted_at IS NULL ORDER BY md5(id::text) LIMIT $2',
    [userId, files],
  );
  const source = Prisma.sql`SELECT unnest(${rows.map(({ id }) => id)}::uuid[]) AS media_file_id`;
  return facetsQuery({ userId, facets, source, perFacet: 20 });
}

await withThrowawayDatabase(async (client, url) => {
  // Loading is not what is measured: without triggers and foreign keys it takes seconds.
  await client.query(`SET session_replication_role = replica`);
  await load(client);
  const userId = await load(client);
  await client.query(`SET session_replication_role = origin`);
  if (process.env['EXPLAIN']) {
    await client.query('VACUUM ANALYZE');
    const sql = await statement(client, userId, FILES, FACETS);
    return inUserTransaction(client, userId, () => printPlan(client, sql));
  }
  const report = new Report();
  report.title(`Facets: a user of ${FILES.toLocaleString('en')} files`);
  report.table(await machineFacts(url));
  for (const statistics of ['without statistics', 'analysed'] as const) {
    await client.query(statistics === 'analysed' ? 'ANALYZE' : 'VACUUM');
    report.heading(
      `Milliseconds, ${statistics}`,
      `Median of ${RUNS} runs of the statement under row-level security: as the caller waits / on the server's processor.`,
    );
    const rows = [];
    for (const [name, facets] of Object.entries(SETS)) {
      const row: Record<string, string> = { facets: name };
      for (const files of [100, 1_000, 10_000, FILES]) {
        const sql = await statement(client, userId, files, facets);
        const { wait, processor } = await inUserTransaction(client, userId, () => costOf(client, sql, RUNS));
        row[`${files.toLocaleString('en')} files found`] = `${round(wait)} / ${round(processor)}`;
      }
      rows.push(row);
    }
    report.table(rows);
  }
  const name = `${new Date().toISOString().slice(0, 10)}-facets.md`;
  console.log(`\nWritten to ${report.write(join(PROJECT_DIR, 'bench', 'results'), name)}`);
});
