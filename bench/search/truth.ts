import pg from 'pg';
import type { MediaFilter } from '../../src/modules/search/sql/restriction.sql.js';

export const TOP = 20;

/** A filter of the product's beside the condition that means the same, written by hand. `m` is media_files. */
export interface FilterCase {
  name: string;
  filter: MediaFilter;
  condition: string;
}

export const NO_FILTER: FilterCase = { name: 'none', filter: {}, condition: 'true' };
export const FILTERS: FilterCase[] = [
  { name: 'videos', filter: { fileType: 'video' }, condition: `m.file_type = 'video'` },
  {
    name: 'one tag',
    filter: { tags: { any: ['harbour'] } },
    condition: `'harbour' = ANY (m.tags)`,
  },
  {
    name: 'last 90 days',
    filter: { uploadedFrom: '2026-08-25T00:00:00Z' },
    condition: `m.uploaded_at >= '2026-08-25T00:00:00Z'`,
  },
  {
    name: 'images with a label',
    filter: { fileType: 'image', labels: [{ name: 'dog' }] },
    condition: `m.file_type = 'image' AND m.detected_labels @> '[{"name": "dog"}]'`,
  },
];

/** What a search should find, worked out by one plain statement that has nothing in common with the product's. */
export class Truth {
  private constructor(private readonly client: pg.Client) {}

  /** @param url a superuser: no policy, no role */
  static async connect(url: string): Promise<Truth> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    // An approximate index is read by an index scan and nothing else.
    await client.query('SET enable_indexscan = off; SET jit = off; SET max_parallel_workers_per_gather = 0');
    return new Truth(client);
  }

  /** The nearest files that a search may show: neither in the trash nor private. */
  async visible(userId: string, vector: string, condition = 'true'): Promise<string[]> {
    const { rows } = await this.client.query<{ id: string }>(
      `SELECT e.media_file_id AS id FROM media_embeddings e
       JOIN media_files m ON m.user_id = e.user_id AND m.id = e.media_file_id
       WHERE e.user_id = $1 AND m.user_id = $1 AND m.deleted_at IS NULL AND NOT m.is_private AND ${condition}
       ORDER BY e.embedding <=> $2::halfvec(1536) LIMIT ${TOP}`,
      [userId, vector],
    );
    return rows.map((row) => row.id);
  }

  /** The nearest of all vectors of the user: what a system finds that knows the owner alone. */
  async owned(userId: string, vector: string): Promise<string[]> {
    const { rows } = await this.client.query<{ id: string }>(
      `SELECT e.media_file_id AS id FROM media_embeddings e WHERE e.user_id = $1
       ORDER BY e.embedding <=> $2::halfvec(1536) LIMIT ${TOP}`,
      [userId, vector],
    );
    return rows.map((row) => row.id);
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
