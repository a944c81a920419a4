import pg from 'pg';
import type { ThrowawayPostgres } from '../test/harness/services/postgres.js';
import { runPrismaCli } from '../src/infrastructure/database/migrate.js';
import { adminUrl, BENCH_DATABASE, openCluster, PROJECT_DIR } from './search/data/cluster.js';

/** Runs `work` as superuser on a migrated database of a PostgreSQL of its own, which is gone afterwards. */
export async function withThrowawayDatabase(
  work: (client: pg.Client, adminUrl: string, postgres: ThrowawayPostgres) => Promise<void>,
): Promise<void> {
  const { postgres } = await openCluster();
  try {
    await postgres.createDatabase(BENCH_DATABASE);
    await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl(BENCH_DATABASE), PROJECT_DIR);
    const url = adminUrl(postgres);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await work(client, url, postgres);
    } finally {
      await client.end();
    }
  } finally {
    await postgres.stop();
  }
}

/**
 * What the triggers would have copied, for files that were loaded without them: names of tags and categories, labels,
 * and the rows of media_facets.
 */
export async function copyNames(client: pg.Client, userId: string): Promise<void> {
  await client.query(
    `UPDATE media_files m SET tags = tag_names(m.user_id, m.id), categories = category_names(m.user_id, m.id),
       detected_labels = coalesce((SELECT jsonb_agg(jsonb_build_object('name', l.label, 'confidence', l.confidence, 'kind', l.kind))
         FROM media_labels l WHERE l.user_id = m.user_id AND l.media_file_id = m.id), '[]')
     WHERE m.user_id = $1`,
    [userId],
  );
  await client.query(
    'INSERT INTO media_facets SELECT f.* FROM media_files m CROSS JOIN LATERAL facets_of(m) f WHERE m.user_id = $1',
    [userId],
  );
}
