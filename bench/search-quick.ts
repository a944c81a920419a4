/**
 * Compares the exact and the two-stage plan of the vector search on a throw-away PostgreSQL, and measures the relevance
 * floor of the local embeddings. Prints two tables. Some minutes on two cores:
 *
 *   node --experimental-transform-types --no-warnings --import ./scripts/typescript-hooks.mjs bench/search-quick.ts
 */
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { LocalTextEmbedder } from '../src/infrastructure/ai/local/local-text-embedder.ts';
import { encodeHalfvecText, l2Normalize } from '../src/infrastructure/ai/vectors.ts';
import { runPrismaCli } from '../src/infrastructure/database/migrate.ts';
import { restrictionOf, type MediaFilter } from '../src/modules/search/sql/restriction.sql.ts';
import { searchQuery, searchSettings, type SearchRow } from '../src/modules/search/sql/search.sql.ts';
import { PICTURES } from '../src/samples/sample-catalogue.ts';
import { startPostgres } from '../test/harness/services/postgres.ts';

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));
const SIZES = [1_000, 2_000, 5_000, 20_000];
const CLUSTERS = 50;
const QUERIES = 60;
const TOP = 20;

/** A unit vector of normally distributed elements. */
function randomVector(): Float32Array {
  return l2Normalize(
    Float32Array.from(
      { length: 1536 },
      () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),
    ),
  )!;
}

/** Loads one user with `size` files of one vector each, in clusters. @returns the user's id and the clusters' centres */
async function load(client: pg.Client, size: number): Promise<{ userId: string; centres: Float32Array[] }> {
  const centres = Array.from({ length: CLUSTERS }, randomVector);
  const noises = Array.from({ length: size / CLUSTERS }, randomVector);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO users (email) VALUES ('bench-' || gen_random_uuid() || '@example.test') RETURNING id`,
  );
  const userId = rows[0]!.id;
  const files = await client.query<{ id: string }>(
    `INSERT INTO media_files (user_id, filename, original_filename, title, file_type, mime_type, file_size_bytes,
       file_hash, storage_provider, s3_bucket, s3_key, status, is_private)
     SELECT $1::uuid, 'f', 'f.jpg', 'picture ' || n, CASE WHEN n % 20 = 0 THEN 'video' ELSE 'image' END, 'image/jpeg', 1,
       lpad(to_hex(n), 64, '0'), 'local', 'b', $1 || '/' || n, 'completed', n % 100 = 0
     FROM generate_series(1, $2::int) n RETURNING id`,
    [userId, size],
  );
  await client.query(
    `INSERT INTO media_embeddings (user_id, media_file_id, model_id, segment_type, is_primary, source_text, embedding)
     SELECT $1::uuid, ($2::uuid[])[(c.position - 1) * $3::int + n.position], 1, 'full', true, 'text', l2_normalize(c.v + n.v)
     FROM (SELECT v::halfvec(1536) AS v, position FROM unnest($4::text[]) WITH ORDINALITY AS u(v, position) OFFSET 0) c
     CROSS JOIN (SELECT v::halfvec(1536) AS v, position FROM unnest($5::text[]) WITH ORDINALITY AS u(v, position) OFFSET 0) n`,
    [
      userId,
      files.rows.map((row) => row.id),
      noises.length,
      centres.map(encodeHalfvecText),
      noises.map(encodeHalfvecText),
    ],
  );
  return { userId, centres };
}

/** One search as the application runs it: short transaction, role and user set, the statement itself. */
async function search(
  client: pg.Client,
  input: { userId: string; vector: string; plan: 'exact' | 'two-stage'; filter: MediaFilter },
): Promise<{ ids: string[]; milliseconds: number }> {
  const { userId } = input;
  await client.query('BEGIN');
  await client.query(
    `SELECT set_config('role', 'app_user', true), set_config('app.current_user_id', $1, true)`,
    [userId],
  );
  const settings = searchSettings();
  await client.query(settings.text, settings.values);
  const sql = searchQuery({
    restriction: restrictionOf(userId, input.filter),
    vector: { ...input, modelId: 1, candidates: 400, floor: -1, segmentTypes: null, maxMedia: 1_000 },
    text: null,
  });
  const started = performance.now();
  const { rows } = await client.query<SearchRow>(sql.text, sql.values as unknown[]);
  const milliseconds = performance.now() - started;
  await client.query('COMMIT');
  return { ids: rows[0]!.vectorIds.slice(0, TOP), milliseconds };
}

const percentile = (values: number[], share: number): string =>
  [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]!.toFixed(1);

async function comparePlans(client: pg.Client): Promise<Record<string, unknown>[]> {
  const table: Record<string, unknown>[] = [];
  for (const size of SIZES) {
    const { userId, centres } = await load(client, size);
    await client.query('VACUUM ANALYZE');
    for (const [name, filter] of [
      ['none', {}],
      ['video (5 %)', { fileType: 'video' }],
    ] as [string, MediaFilter][]) {
      const times = { exact: [] as number[], 'two-stage': [] as number[] };
      let common = 0;
      for (let index = 0; index < QUERIES; index++) {
        const centre = centres[index % CLUSTERS]!;
        const noise = randomVector();
        const vector = encodeHalfvecText(
          l2Normalize(centre.map((element, place) => element + noise[place]!))!,
        );
        const exact = await search(client, { userId, vector, plan: 'exact', filter });
        const twoStage = await search(client, { userId, vector, plan: 'two-stage', filter });
        times.exact.push(exact.milliseconds);
        times['two-stage'].push(twoStage.milliseconds);
        const found = new Set(twoStage.ids);
        common += exact.ids.filter((id) => found.has(id)).length;
      }
      table.push({
        vectors: size,
        filter: name,
        'exact p50 ms': percentile(times.exact, 0.5),
        'exact p95 ms': percentile(times.exact, 0.95),
        'two-stage p50 ms': percentile(times['two-stage'], 0.5),
        'two-stage p95 ms': percentile(times['two-stage'], 0.95),
        [`recall@${TOP}`]: (common / (QUERIES * TOP)).toFixed(4),
      });
    }
  }
  return table;
}

const UNRELATED =
  'xylophone qwertz zzzz flibber guitar solo|tax return 2019|wedding dress|football match|hospital bed|dinosaur skeleton|' +
  'violin|submarine|knitting pattern|asdfgh jkl|laptop keyboard|haircut|piano lesson|swimming pool|ice hockey|tattoo|' +
  'bicycle repair|penguin|baby shower|chainsaw|karaoke|microscope|passport photo|boxing gloves|magnet|umbrella|' +
  'electrician|vaccination|marathon runner|quantum physics|toothbrush|grandmother birthday|helicopter|' +
  'lorem ipsum dolor|blorptastic|zebra|kangaroo|opera singer|skateboard|parliament|mjolnir|vacuum cleaner|ramen|skiing|' +
  'fireworks|dentist|lipstick|gardening|saxophone|barcode';

/** Cosine similarities of the sample pictures' documents and queries that are about something else. */
async function measureFloor(): Promise<Record<string, unknown>> {
  const embedder = new LocalTextEmbedder();
  const documents = PICTURES.map((picture) =>
    [
      picture.title,
      picture.tags.join(', '),
      picture.category,
      'bright, landscape orientation, blue, green, white, colourful, sharp',
      `A bright landscape picture, mostly blue and white. ${picture.description}`,
    ].join('\n'),
  );
  const { vectors } = await embedder.embed([...documents, ...UNRELATED.split('|')]);
  const cosines = vectors
    .slice(documents.length)
    .flatMap((query) =>
      vectors
        .slice(0, documents.length)
        .map((document) => query.reduce((sum, element, index) => sum + element * document[index]!, 0)),
    );
  const mean = cosines.reduce((a, b) => a + b) / cosines.length;
  const deviation = Math.sqrt(
    cosines.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / cosines.length,
  );
  return {
    model: embedder.model.name,
    pairs: cosines.length,
    mean: mean.toFixed(4),
    deviation: deviation.toFixed(4),
    'mean + 4 deviations': (mean + 4 * deviation).toFixed(4),
    'pairs at .12 or above': cosines.filter((cosine) => cosine >= 0.12).length,
  };
}

console.table([await measureFloor()]);
const postgres = await startPostgres();
try {
  await postgres.createDatabase('bench');
  await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl('bench'), PROJECT_DIR);
  const url = new URL(postgres.adminUrl);
  url.pathname = '/bench';
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  await client.query(
    `INSERT INTO embedding_models (id, provider, name, dimensions, state) VALUES (1, 'bench', 'random', 1536, 'active')`,
  );
  console.table(await comparePlans(client));
  await client.end();
} finally {
  await postgres.stop();
}
