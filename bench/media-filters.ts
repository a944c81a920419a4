/**
 * npm run bench:filters: times the filters of lists and searches for a user of 20,000 files beside another of 20,000, on
 * a throw-away PostgreSQL, as the application's role under row-level security. Prints tables and writes them to
 * bench/results/. With EXPLAIN=<name of a filter> it prints that filter's plans instead.
 */
import { join } from 'node:path';
import type pg from 'pg';
import { Prisma } from '../src/infrastructure/database/generated/client.js';
import type { MediaFilter } from '../src/modules/media/filter/media-filter.types.js';
import { mediaListPage } from '../src/modules/media/sql/media-list.sql.js';
import { restrictionOf } from '../src/modules/search/sql/restriction.sql.js';
import { PROJECT_DIR } from './search/data/cluster.js';
import { machineFacts, Report, round, type Row } from './search/report.js';
import { copyNames, withThrowawayDatabase } from './throwaway-database.js';
import { costOf, inUserTransaction, printPlan, send } from './user-transaction.js';

const FILES = 20_000;
const RUNS = 7;

const FILTERS: Record<string, MediaFilter> = {
  'file type (5 %)': { fileType: 'video' },
  'status (1 %)': { status: ['failed', 'processing'] },
  'uploaded in a month': { uploadedFrom: '2026-03-01T00:00:00Z', uploadedTo: '2026-04-01T00:00:00Z' },
  'taken in a month': { takenFrom: '2025-03-01T00:00:00Z', takenTo: '2025-04-01T00:00:00Z' },
  'duration up to 30 s': { durationSeconds: { max: 30 } },
  'size above 8 MB': { fileSizeBytes: { min: 8_000_000 } },
  'portrait, 3,000 pixels': { orientation: 'portrait', height: { min: 3000 } },
  'common tag (25 %)': { tags: { any: ['tag 1'] } },
  'rare tag (0.1 %)': { tags: { any: ['tag 400'] } },
  'two tags of all': { tags: { all: ['tag 1', 'tag 2'] } },
  'not a common tag': { tags: { none: ['tag 1'] } },
  category: { categories: ['nature'] },
  'label, confidence 0.8': { labels: [{ name: 'label 3', minConfidence: 0.8 }] },
  'faces, sentiment, no warning': {
    facesCount: { min: 1 },
    sentiment: 'POSITIVE',
    contentWarnings: { isEmpty: true },
  },
  'blue by a third': { colors: [{ name: 'blue', minShare: 0.33 }] },
  'private only': { isPrivate: true },
  'metadata contains': { customMetadata: { contains: { client: 'client 7' } } },
  'metadata number range': { customMetadata: { ranges: [{ path: ['price'], min: 10, max: 20 }] } },
  'metadata date range': {
    customMetadata: { ranges: [{ path: ['shoot', 'date'], min: '2026-01-01', max: '2026-01-31' }] },
  },
  'has transcript': { hasTranscript: true },
  'has text': { hasText: true },
  'tag or label or date': {
    or: [
      { tags: { any: ['tag 400'] } },
      { labels: [{ name: 'label 3' }] },
      { takenFrom: '2025-12-01T00:00:00Z' },
    ],
  },
  'three levels': {
    fileType: 'image',
    or: [
      { and: [{ tags: { any: ['tag 1'] } }, { not: { labels: [{ name: 'label 3' }] } }] },
      { categories: { any: ['food', 'art'] }, not: { or: [{ hasText: true }, { facesCount: { min: 1 } }] } },
    ],
  },
  nothing: { tags: { any: ['no such tag'] } },
};

/** Rows about as wide as the pipeline makes them. */
async function load(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO users (email) VALUES ('bench-' || gen_random_uuid() || '@example.test') RETURNING id`,
  );
  const userId = rows[0]!.id;
  await client.query(
    `INSERT INTO media_files (user_id, filename, original_filename, title, file_type, mime_type, file_size_bytes,
       file_hash, storage_provider, s3_bucket, s3_key, status, is_private, width, height, duration_seconds, uploaded_at,
       taken_at, exif, ai_summary, detected_labels, detected_faces_count, detected_text, transcription_text, sentiment,
       content_warnings, dominant_colors, custom_metadata)
     SELECT $1::uuid, 'f', 'IMG_' || n || '.jpg', 'picture ' || n, CASE WHEN n % 20 = 0 THEN 'video' ELSE 'image' END,
       'image/jpeg', 1 + (n * 7919::bigint) % 10000000, lpad(to_hex(n), 64, '0'), 'local', 'b', $1 || '/' || n,
       CASE n % 200 WHEN 0 THEN 'failed' WHEN 1 THEN 'processing' ELSE 'completed' END, n % 100 = 0,
       CASE WHEN n % 4 = 0 THEN 3000 ELSE 4000 END, CASE WHEN n % 4 = 0 THEN 4000 ELSE 3000 END,
       CASE WHEN n % 20 = 0 THEN n % 600 END, timestamptz '2026-01-01' + n * interval '20 minutes',
       CASE WHEN n % 3 > 0 THEN timestamptz '2025-01-01' + n * interval '20 minutes' END,
       jsonb_build_object('cameraMake', 'Maker', 'cameraModel', 'Model ' || n % 9, 'iso', 100, 'exposureTime', 0.01),
       'A bright landscape picture, mostly blue and white, number ' || n,
       (SELECT jsonb_agg(jsonb_build_object('name', 'label ' || (n + l) % 50, 'confidence', 0.5 + l * 0.05, 'kind', 'object'))
         FROM generate_series(1, 8) l),
       CASE WHEN n % 10 = 0 THEN 2 ELSE 0 END, CASE WHEN n % 8 = 0 THEN ARRAY['TOTAL 99.00 USD'] ELSE '{}' END,
       CASE WHEN n % 40 = 0 THEN repeat('words that were said ', 200) END,
       (ARRAY['POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED'])[1 + n % 4], CASE WHEN n % 50 = 0 THEN ARRAY['blood'] ELSE '{}' END,
       jsonb_build_array(jsonb_build_object('name', CASE WHEN n % 6 = 0 THEN 'blue' ELSE 'green' END, 'hex', '#112233', 'share', 0.4),
         jsonb_build_object('name', 'white', 'hex', '#ffffff', 'share', 0.3), jsonb_build_object('name', 'gray', 'hex', '#888888', 'share', 0.2)),
       jsonb_build_object('client', 'client ' || n % 40, 'price', n % 1000,
         'shoot', jsonb_build_object('date', to_char(timestamptz '2025-06-01' + n * interval '20 minutes', 'YYYY-MM-DD')))
     FROM generate_series(1, $2::int) n`,
    [userId, FILES],
  );
  await client.query(
    `INSERT INTO tags (user_id, name) SELECT $1, 'tag ' || n FROM generate_series(1, 500) n`,
    [userId],
  );
  // Tags 1 to 4 hang on a quarter to a seventh of the files, the others on twenty files each.
  const numbered = 'SELECT id, row_number() OVER (ORDER BY s3_key) AS n FROM media_files WHERE user_id = $1';
  const tags = 'SELECT id, substr(name, 5)::int AS k FROM tags WHERE user_id = $1';
  for (const join of ['t.k <= 4 AND m.n % (3 + t.k) = 0', 't.k > 4 AND m.n % 1000 = t.k']) {
    await client.query(
      `INSERT INTO media_tags (user_id, media_file_id, tag_id)
       SELECT $1, m.id, t.id FROM (${numbered}) m JOIN (${tags}) t ON ${join}`,
      [userId],
    );
  }
  await client.query(
    `INSERT INTO media_categories (user_id, media_file_id, category_id)
     SELECT $1, m.id, c.id FROM (SELECT id, row_number() OVER () AS n FROM media_files WHERE user_id = $1) m
     JOIN (SELECT id, row_number() OVER (ORDER BY name) AS k FROM categories WHERE user_id IS NULL) c ON m.n % 10 = c.k - 1`,
    [userId],
  );
  await client.query(
    `INSERT INTO media_labels (user_id, media_file_id, label, confidence, kind)
     SELECT m.user_id, m.id, l ->> 'name', (l ->> 'confidence')::real, 'object'
     FROM media_files m, jsonb_array_elements(m.detected_labels) l WHERE m.user_id = $1`,
    [userId],
  );
  await copyNames(client, userId);
  return userId;
}

interface Statements {
  list: Prisma.Sql;
  byTitle: Prisma.Sql;
  /** All files that a search may answer with. */
  allowed: Prisma.Sql;
}

function statements(userId: string, filter: MediaFilter): Statements {
  const page = { userId, filter, isTrash: false, order: 'desc' as const, after: null, limit: 20 };
  return {
    list: mediaListPage({ ...page, sort: 'uploadedAt' }),
    byTitle: mediaListPage({ ...page, sort: 'title' }),
    allowed: Prisma.sql`WITH ${restrictionOf(userId, filter).with}one AS (SELECT 1) SELECT count(*)::int AS files FROM eligible_media`,
  };
}

async function measure(client: pg.Client, userId: string): Promise<Row[]> {
  const cost = async (sql: Prisma.Sql): Promise<string> => {
    const { wait, processor } = await costOf(client, sql, RUNS);
    return `${round(wait)} / ${round(processor)}`;
  };
  const table: Row[] = [];
  for (const [name, filter] of Object.entries(FILTERS)) {
    const { list, byTitle, allowed } = statements(userId, filter);
    const lists = await inUserTransaction(
      client,
      userId,
      async () => ({ list: await cost(list), 'by title': await cost(byTitle) }),
      { settings: {} },
    );
    const search = await inUserTransaction(client, userId, async () => ({
      'files of a search': await cost(allowed),
      'that fit': (await send<{ files: number }>(client, allowed))[0]!.files,
    }));
    table.push({ filter: name, ...lists, ...search });
  }
  return table;
}

async function explain(client: pg.Client, userId: string, name: string): Promise<void> {
  const filter = FILTERS[name];
  if (filter === undefined) throw new Error(`no such filter; there are: ${Object.keys(FILTERS).join('; ')}`);
  const { list, byTitle, allowed } = statements(userId, filter);
  for (const sql of [list, byTitle]) {
    await inUserTransaction(client, userId, () => printPlan(client, sql), { settings: {} });
  }
  await inUserTransaction(client, userId, () => printPlan(client, allowed));
}

await withThrowawayDatabase(async (client, url) => {
  // Loading is not what is measured: without triggers and foreign keys it takes seconds.
  await client.query(`SET session_replication_role = replica`);
  const userId = await load(client);
  await load(client);
  await client.query(`SET session_replication_role = origin`);
  const name = process.env['EXPLAIN'];
  const report = new Report();
  if (!name) {
    report.title(`Filters: a user of ${FILES.toLocaleString('en')} files`);
    report.table(await machineFacts(url));
  }
  for (const statistics of ['without statistics', 'analysed'] as const) {
    await client.query(statistics === 'analysed' ? 'VACUUM ANALYZE' : 'VACUUM');
    if (name) await explain(client, userId, name);
    else {
      report.heading(
        `Milliseconds, ${statistics}`,
        `Median of ${RUNS} runs under row-level security: as the caller waits / on the server's processor. "List" and ` +
          '"by title": a page of 20 files, the latest and the first by title. "Files of a search": all that a search may answer with.',
      );
      report.table(await measure(client, userId));
    }
  }
  if (name) return;
  const file = `${new Date().toISOString().slice(0, 10)}-filters.md`;
  console.log(`\nWritten to ${report.write(join(PROJECT_DIR, 'bench', 'results'), file)}`);
});
