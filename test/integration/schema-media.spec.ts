import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { addRow, addUser, embeddingModelId, uniqueHash, vectorText, type Row } from '../factories/rows.js';
import { connectAsSuperuser } from '../harness/database.js';

describe('the schema: media, storage, tags, search documents', () => {
  let client: pg.Client;
  let userId: string;
  beforeAll(async () => {
    client = await connectAsSuperuser();
  });
  afterAll(() => client.end());
  // Each test in a transaction that is undone.
  beforeEach(async () => {
    await client.query('BEGIN');
    userId = await addUser(client);
  });
  afterEach(() => client.query('ROLLBACK'));

  const one = async <T>(sql: string, values: unknown[] = []): Promise<T> =>
    ((await client.query<{ value: T }>(sql, values)).rows[0]?.value ?? null) as T;
  const usedBytes = async (): Promise<number> =>
    Number(await one('SELECT storage_used_bytes AS value FROM users WHERE id = $1', [userId]));
  const media = (columns: Row = {}): Promise<Row> => addRow(client, 'media_files', userId, columns);
  const update = (row: Row, set: string): Promise<unknown> =>
    client.query(`UPDATE media_files SET ${set} WHERE user_id = $1 AND id = $2`, [userId, row['id']]);

  /** Tries a statement inside a savepoint; gives the SQLSTATE, or null when it was taken. */
  async function refusal(attempt: () => Promise<unknown>): Promise<string | null> {
    await client.query('SAVEPOINT attempt');
    try {
      await attempt();
      await client.query('RELEASE attempt');
      return null;
    } catch (error) {
      await client.query('ROLLBACK TO attempt');
      return (error as { code: string }).code;
    }
  }

  it('C02: ten files of 0.4 MiB are 4 MiB to the byte', async () => {
    const size = Math.round(0.4 * 1024 * 1024);
    for (let index = 0; index < 10; index += 1) await media({ file_size_bytes: size });
    expect(await usedBytes()).toBe(10 * size);
  });

  it('C02, C25: storage follows insert, size, derivatives, trash, restore and delete', async () => {
    const row = await media({ file_size_bytes: 1000 });
    const seen = [await usedBytes()];
    for (const set of [
      'file_size_bytes = 1500',
      'derivative_bytes = 250',
      'deleted_at = now()',
      'derivative_bytes = 300',
      'deleted_at = NULL',
      `title = 'other'`,
    ]) {
      await update(row, set);
      seen.push(await usedBytes());
    }
    await client.query('DELETE FROM media_files WHERE user_id = $1', [userId]);
    seen.push(await usedBytes());
    expect(seen).toEqual([1000, 1500, 1750, 0, 0, 1800, 1800, 0]);
  });

  it('C25: the counter never goes below nothing', async () => {
    await media({ file_size_bytes: 1000 });
    await client.query('UPDATE users SET storage_used_bytes = 10 WHERE id = $1', [userId]);
    await client.query('DELETE FROM media_files WHERE user_id = $1', [userId]);
    expect(await usedBytes()).toBe(0);
  });

  it('C05, A4: the same bytes once per user, in any number of accounts, and again after the trash', async () => {
    const hash = uniqueHash();
    const row = await media({ file_hash: hash });
    expect(await refusal(() => media({ file_hash: hash }))).toBe('23505');
    const other = await addUser(client);
    expect(await refusal(() => addRow(client, 'media_files', other, { file_hash: hash }))).toBeNull();
    await update(row, 'deleted_at = now()');
    expect(await refusal(() => media({ file_hash: hash }))).toBeNull();
  });

  it('C06: a key once per bucket', async () => {
    expect(await refusal(() => media({ s3_bucket: 'a', s3_key: 'key' }))).toBeNull();
    expect(await refusal(() => media({ s3_bucket: 'b', s3_key: 'key' }))).toBeNull();
    expect(await refusal(() => media({ s3_bucket: 'a', s3_key: 'key' }))).toBe('23505');
  });

  it.each<[string, Row]>([
    ['no bytes', { file_size_bytes: 0 }],
    ['a width without a height', { width: 10 }],
    ['a width of nothing', { width: 0, height: 10 }],
    ['a negative duration', { duration_seconds: -1 }],
    ['no frames', { frame_rate: 0 }],
    ['negative faces', { detected_faces_count: -1 }],
    ['negative views', { view_count: -1 }],
    ['an unknown type', { file_type: 'audio' }],
    ['an unknown status', { status: 'deleted' }],
    ['an unknown sentiment', { sentiment: 'positive' }],
    ['labels that are no list', { detected_labels: '{}' }],
    ['metadata that is no object', { custom_metadata: '[]' }],
    ['an orientation that does not exist', { orientation: 9 }],
  ])('001-19, C54: refuses %s', async (_name, columns) => {
    expect(await refusal(() => media(columns))).toBe('23514');
  });

  it.each<[string, Row, string | null]>([
    ['a whole file without times', { segment_type: 'full' }, null],
    [
      'a whole file with times',
      { segment_type: 'full', start_time_seconds: 0, end_time_seconds: 1 },
      '23514',
    ],
    [
      'a segment with both times',
      { segment_type: 'temporal', start_time_seconds: 0, end_time_seconds: 1 },
      null,
    ],
    ['a segment without times', { segment_type: 'temporal' }, '23514'],
    ['a segment without an end', { segment_type: 'audio', start_time_seconds: 0 }, '23514'],
    [
      'a segment that ends before it starts',
      { segment_type: 'visual', start_time_seconds: 2, end_time_seconds: 1 },
      '23514',
    ],
    ['a confidence above 1', { confidence_score: 1.1 }, '23514'],
  ])('001-24, C54: %s', async (_name, columns, expected) => {
    expect(await refusal(() => addRow(client, 'media_embeddings', userId, columns))).toBe(expected);
  });

  it('C03, C44: vectors of 1536 dimensions only; their code follows; one main vector per file and model', async () => {
    const row = await addRow(client, 'media_embeddings', userId, {
      is_primary: true,
      embedding: vectorText(3),
    });
    const code = await one<string>(
      `SELECT (code = binary_quantize(embedding)::bit(1536))::text AS value FROM media_embeddings WHERE user_id = $1`,
      [userId],
    );
    expect(code).toBe('true');
    const again = { media_file_id: row['media_file_id'] };
    expect(
      await refusal(() => addRow(client, 'media_embeddings', userId, { ...again, is_primary: true })),
    ).toBe('23505');
    expect(await refusal(() => addRow(client, 'media_embeddings', userId, again))).toBeNull();
    expect(
      await refusal(() => addRow(client, 'media_embeddings', userId, { ...again, embedding: '[1,2,3]' })),
    ).toBe('22000');
  });

  it('C03: a shorter vector padded with zeros keeps its distances; models have at most 1536 dimensions', async () => {
    const [a, b] = [1, 2]
      .map((seed) => JSON.parse(vectorText(seed)) as number[])
      .map((v) => v.slice(0, 1024));
    const padded = (v: number[] = []): string =>
      JSON.stringify([...v, ...Array.from({ length: 512 }, () => 0)]);
    const difference = await one<number>(
      `SELECT abs(($1::vector <=> $2::vector) - ($3::halfvec(1536) <=> $4::halfvec(1536)))::float8 AS value`,
      [JSON.stringify(a), JSON.stringify(b), padded(a), padded(b)],
    );
    expect(difference).toBeLessThan(0.001);
    const model = (dimensions: number) => (): Promise<unknown> =>
      client.query(`INSERT INTO embedding_models (provider, name, dimensions) VALUES ('p', 'n', $1)`, [
        dimensions,
      ]);
    expect(await refusal(model(1024))).toBeNull();
    expect(await refusal(model(1537))).toBe('23514');
  });

  it('C03: one model is active', async () => {
    await client.query(`UPDATE embedding_models SET state = 'retired' WHERE state = 'active'`);
    const first = await embeddingModelId(client);
    await client.query(`UPDATE embedding_models SET state = 'active' WHERE id = $1`, [first]);
    expect(
      await refusal(() =>
        client.query(
          `INSERT INTO embedding_models (provider, name, dimensions, state) VALUES ('p', 'second', 8, 'active')`,
        ),
      ),
    ).toBe('23505');
  });

  it('C26: tag names are one whatever their case, per user, and copied to the file in order', async () => {
    const file = await media();
    const beach = await addRow(client, 'tags', userId, { name: 'Beach' });
    const art = await addRow(client, 'tags', userId, { name: 'art' });
    expect(await refusal(() => addRow(client, 'tags', userId, { name: 'bEACH' }))).toBe('23505');
    expect(
      await refusal(() => addUser(client).then((other) => addRow(client, 'tags', other, { name: 'beach' }))),
    ).toBeNull();
    expect(await refusal(() => addRow(client, 'tags', userId, { name: ' padded ' }))).toBe('23514');
    const tags = (): Promise<string[]> =>
      one('SELECT tags AS value FROM media_files WHERE user_id = $1 AND id = $2', [userId, file['id']]);
    for (const tag of [beach, art]) {
      await addRow(client, 'media_tags', userId, { media_file_id: file['id'], tag_id: tag['id'] });
    }
    const seen = [await tags()];
    await client.query(`UPDATE tags SET name = 'Shore' WHERE user_id = $1 AND id = $2`, [
      userId,
      beach['id'],
    ]);
    seen.push(await tags());
    await client.query('DELETE FROM media_tags WHERE user_id = $1 AND tag_id = $2', [userId, art['id']]);
    seen.push(await tags());
    await client.query('DELETE FROM tags WHERE user_id = $1 AND id = $2', [userId, beach['id']]);
    seen.push(await tags());
    expect(seen).toEqual([['art', 'Beach'], ['art', 'Shore'], ['Shore'], []]);
  });

  it("C27: a file takes the user's own and the system's categories, not another user's", async () => {
    const file = await media();
    const link = (category: unknown) => (): Promise<unknown> =>
      addRow(client, 'media_categories', userId, { media_file_id: file['id'], category_id: category });
    const own = await addRow(client, 'categories', userId, { name: 'garden' });
    const system = await one<string>(
      `SELECT id AS value FROM categories WHERE user_id IS NULL AND name = 'nature'`,
    );
    const foreign = await addRow(client, 'categories', await addUser(client));
    expect([
      await refusal(link(own['id'])),
      await refusal(link(system)),
      await refusal(link(foreign['id'])),
    ]).toEqual([null, null, '23503']);
    // The same answer as for one that does not exist.
    expect(await refusal(link('00000000-0000-7000-8000-000000000000'))).toBe('23503');
    expect(await one('SELECT categories AS value FROM media_files WHERE id = $1', [file['id']])).toEqual([
      'garden',
      'nature',
    ]);
    expect(await refusal(() => addRow(client, 'categories', userId, { name: 'GARDEN' }))).toBe('23505');
    expect(await refusal(() => client.query(`INSERT INTO categories (name) VALUES ('Nature')`))).toBe(
      '23505',
    );
  });

  it.each([
    '[]',
    '"text"',
    '12',
    'null',
    '{"tags": {"a": [1, {"b": null}]}, "summary": 5}',
    '{"labels": "x", "text": [[["deep"]]]}',
  ])('C43: raw_response %s never blocks an analysis', async (raw) => {
    const row = await addRow(client, 'analyses', userId, { raw_response: raw, summary: 'a lighthouse' });
    const found = await one<boolean>(
      `SELECT search_vector @@ to_tsquery('simple', 'lighthouse') AS value FROM analyses WHERE user_id = $1 AND id = $2`,
      [userId, row['id']],
    );
    expect(found).toBe(true);
  });

  it('003-06: the search vector weighs typed columns and the known keys of raw_response', async () => {
    const raw = JSON.stringify({
      category: 'harbour',
      tags: ['boat'],
      summary: 'ships at dusk',
      text: 'PIER 39',
      secret: 'hidden',
    });
    const row = await addRow(client, 'analyses', userId, { raw_response: raw, tags: ['sea'] });
    const vector = await one<string>(
      'SELECT search_vector::text AS value FROM analyses WHERE user_id = $1 AND id = $2',
      [userId, row['id']],
    );
    for (const word of ["'harbour':1A", "'boat':3B", "'sea':2B", 'dusk', 'pier'])
      expect(vector).toContain(word);
    expect(vector).not.toContain('hidden');
  });

  it('C28, 003-05: one row per file, kind and version', async () => {
    const first = await addRow(client, 'analyses', userId);
    const file = { media_file_id: first['media_file_id'] };
    expect(await refusal(() => addRow(client, 'analyses', userId, file))).toBe('23505');
    expect(await refusal(() => addRow(client, 'analyses', userId, { ...file, version: 2 }))).toBeNull();
    expect(await refusal(() => addRow(client, 'analyses', userId, { ...file, kind: 'text' }))).toBeNull();
    expect(await refusal(() => addRow(client, 'analyses', userId, { ...file, version: 0 }))).toBe('23514');
  });

  it('search_docs follows title, tags, labels, camera, transcript, language, trash and restore', async () => {
    const row = await media({ title: 'Sunset', original_filename: 'IMG_beachHouse-2024.jpg' });
    const finds = async (word: string): Promise<boolean> => {
      await client.query(`SELECT set_config('app.current_user_id', $1, true)`, [userId]);
      return (await client.query('SELECT * FROM search_documents($1)', [word])).rowCount === 1;
    };
    expect([await finds('sunset'), await finds('beach'), await finds('house'), await finds('whale')]).toEqual(
      [true, true, true, false],
    );
    await update(
      row,
      `title = 'Dawn', detected_labels = '[{"name": "lighthouse"}]', transcription_text = 'a walking whale', ai_summary = 'café'`,
    );
    expect([
      await finds('sunset'),
      await finds('dawn'),
      await finds('lighthouse'),
      await finds('walk'),
      await finds('cafe'),
    ]).toEqual([...[false, true, true, true, true]]);
    const tag = await addRow(client, 'tags', userId, { name: 'holiday' });
    await addRow(client, 'media_tags', userId, { media_file_id: row['id'], tag_id: tag['id'] });
    expect(await finds('holiday')).toBe(true);
    await update(row, `exif = '{"cameraMake": "Kestrel", "iso": 64, "tags": {"title": "Regatta"}}'`);
    expect([await finds('kestrel'), await finds('regatta'), await finds('64')]).toEqual([true, true, false]);
    await update(row, `language = 'de', title = 'Häuser am Meer'`);
    expect(await finds('Haus')).toBe(true);
    expect(
      await one(`SELECT config::text AS value FROM search_docs WHERE user_id = $1 AND media_file_id = $2`, [
        userId,
        row['id'],
      ]),
    ).toBe('german');
    await update(row, 'deleted_at = now()');
    expect(await finds('holiday')).toBe(false);
    await update(row, 'deleted_at = NULL');
    expect(await finds('holiday')).toBe(true);
  });

  it('A2: search_documents gives the rows of the user of the transaction alone, and none without one', async () => {
    const other = await addUser(client);
    await media({ title: 'a zebra' });
    await addRow(client, 'media_files', other, { title: 'a zebra as well' });
    const counts: number[] = [];
    for (const user of [userId, other, '', '00000000-0000-7000-8000-000000000000']) {
      await client.query(`SELECT set_config('app.current_user_id', $1, true)`, [user]);
      counts.push((await client.query(`SELECT * FROM search_documents('zebra')`)).rowCount ?? -1);
    }
    expect(counts).toEqual([1, 1, 0, 0]);
  });

  it('a text over the limit of a search document is cut, not refused', async () => {
    const row = await media();
    const words = Array.from({ length: 120_000 }, (_, index) => `word${index}`).join(' ');
    expect(
      await refusal(() =>
        client.query('UPDATE media_files SET transcription_text = $2 WHERE id = $1', [row['id'], words]),
      ),
    ).toBeNull();
  });

  const STATUSES = ['uploaded', 'queued', 'processing', 'completed', 'failed', 'archived'];
  const ALLOWED: Record<string, string[]> = {
    uploaded: ['queued', 'processing', 'completed', 'failed', 'archived'],
    queued: ['processing', 'completed', 'failed', 'archived'],
    processing: ['queued', 'completed', 'failed', 'archived'],
    completed: ['queued', 'processing', 'archived'],
    failed: ['queued', 'processing', 'archived'],
    archived: ['queued', 'completed', 'failed'],
  };
  it.each(STATUSES)(
    'C09: a file that is %s goes where the table of transitions lets it, and nowhere else',
    async (from) => {
      const row = await media({ status: from });
      const taken: string[] = [];
      for (const to of STATUSES.filter((status) => status !== from)) {
        await client.query('SAVEPOINT step');
        if ((await refusal(() => update(row, `status = '${to}'`))) === null) taken.push(to);
        await client.query('ROLLBACK TO step');
      }
      expect(taken).toEqual(ALLOWED[from]);
    },
  );
});
