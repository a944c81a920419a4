/**
 * Times the facets of a search on a throw-away PostgreSQL: one user with 20,000 files beside another with as many, as
 * the application asks (short transaction, role and user set). Prints one table; EXPLAIN=1 prints the plan as well.
 *
 *   node --experimental-transform-types --no-warnings --import ./scripts/typescript-hooks.mjs bench/facets.ts
 */
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Prisma } from '../src/infrastructure/database/generated/client.ts';
import { runPrismaCli } from '../src/infrastructure/database/migrate.ts';
import { FACETS, facetsQuery, type Facet } from '../src/modules/search/sql/facets.sql.ts';
import { searchSettings } from '../src/modules/search/sql/search.sql.ts';
import { startPostgres } from '../test/harness/services/postgres.ts';

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));
const FILES = 20_000;
const RUNS = 15;

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
  return userId;
}

async function asUser<T>(client: pg.Client, userId: string, fn: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  await client.query(
    `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
    [userId],
  );
  const settings = searchSettings();
  await client.query(settings.text, settings.values);
  const result = await fn();
  await client.query('COMMIT');
  return result;
}

const percentile = (values: number[], share: number): string =>
  [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]!.toFixed(1);

/** @param files how many of the user's files the source gives */
async function measure(
  client: pg.Client,
  userId: string,
  files: number,
  facets: readonly Facet[],
): Promise<string[]> {
  const source = Prisma.sql`SELECT id AS media_file_id FROM media_files
    WHERE user_id = ${userId}::uuid AND deleted_at IS NULL LIMIT ${files}::integer`;
  const { text, values } = facetsQuery({ userId, facets, source, perFacet: 20 });
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    await asUser(client, userId, async () => {
      const started = performance.now();
      await client.query(text, values as unknown[]);
      times.push(performance.now() - started);
    });
  }
  if (process.env['EXPLAIN'] && files === FILES && facets === FACETS) {
    await asUser(client, userId, async () => {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN (ANALYZE, BUFFERS) ${text}`,
        values as unknown[],
      );
      console.log(rows.map((row) => row['QUERY PLAN']).join('\n'));
    });
  }
  return [percentile(times, 0.5), percentile(times, 0.95)];
}

const postgres = await startPostgres();
try {
  await postgres.createDatabase('bench');
  await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl('bench'), PROJECT_DIR);
  const url = new URL(postgres.adminUrl);
  url.pathname = '/bench';
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  // Loading is not what is measured: without triggers and foreign keys it takes seconds.
  await client.query(`SET session_replication_role = replica`);
  await load(client);
  const userId = await load(client);
  await client.query(`SET session_replication_role = origin`);
  const table: Record<string, unknown>[] = [];
  for (const statistics of ['none', 'analysed'] as const) {
    await client.query(statistics === 'none' ? 'VACUUM' : 'ANALYZE');
    const sets: [string, readonly Facet[]][] = [
      ['all 14', FACETS],
      ['columns', FACETS.filter((facet) => !['tags', 'categories', 'labels', 'colors'].includes(facet))],
      ...(['tags', 'categories', 'labels', 'colors'] as const).map((facet): [string, readonly Facet[]] => [
        facet,
        [facet],
      ]),
    ];
    for (const files of [100, 1_000, FILES]) {
      for (const [facets, list] of sets) {
        const [p50, p95] = await measure(client, userId, files, list);
        table.push({ statistics, files, facets, 'p50 ms': p50, 'p95 ms': p95 });
      }
    }
  }
  console.table(table);
  await client.end();
} finally {
  await postgres.stop();
}
