import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { addRow, addUser, type Row } from '../factories/rows.js';
import { connectAsSuperuser } from '../harness/database.js';

describe('the schema: jobs', () => {
  let client: pg.Client;
  let userId: string;
  beforeAll(async () => {
    client = await connectAsSuperuser();
  });
  afterAll(() => client.end());
  beforeEach(async () => {
    await client.query('BEGIN');
    userId = await addUser(client);
  });
  afterEach(() => client.query('ROLLBACK'));

  const rowsOf = async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await client.query<T>(sql, values)).rows;
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

  it('C78: only what has no file may come without one', async () => {
    const job = (job_type: string) => (): Promise<unknown> =>
      addRow(client, 'processing_jobs', userId, { job_type, media_file_id: null });
    const without = ['url_import', 'youtube_import', 'reindex', 'export', 'purge'];
    const needing = [
      'image_analysis',
      'video_analysis',
      'transcription',
      'text_analysis',
      'embedding_generation',
      'media_probe',
      'thumbnail',
    ];
    for (const type of without) expect(await refusal(job(type))).toBeNull();
    for (const type of needing) expect(await refusal(job(type))).toBe('23514');
  });

  it.each<[string, Row]>([
    ['more attempts than allowed', { attempts: 4 }],
    ['a priority of 0', { priority: 0 }],
    ['a progress of 101', { progress_percentage: 101 }],
    ['a negative cost', { estimated_cost: -1 }],
    ['processing without a lease', { status: 'processing' }],
    ['an unknown type', { job_type: 'dance' }],
    ['an unknown status', { status: 'paused' }],
  ])('001-26 to 001-31: a job refuses %s', async (_name, columns) => {
    expect(await refusal(() => addRow(client, 'processing_jobs', userId, columns))).toBe('23514');
  });

  const JOB_STATUSES = ['pending', 'processing', 'completed', 'failed', 'retrying', 'cancelled', 'blocked'];
  const NEXT: Record<string, string[]> = {
    blocked: ['pending', 'failed', 'cancelled'],
    pending: ['processing', 'failed', 'cancelled'],
    retrying: ['processing', 'failed', 'cancelled'],
    processing: ['pending', 'completed', 'failed', 'retrying', 'cancelled'],
    ...{ completed: [], failed: [], cancelled: [] },
  };
  it.each(JOB_STATUSES)('a %s job goes where the state machine lets it, and nowhere else', async (from) => {
    const job = await addRow(client, 'processing_jobs', userId, {
      status: from,
      lease_expires_at: new Date().toISOString(),
    });
    const taken: string[] = [];
    for (const to of JOB_STATUSES.filter((status) => status !== from)) {
      await client.query('SAVEPOINT step');
      const set = (): Promise<unknown> =>
        client.query('UPDATE processing_jobs SET status = $2 WHERE id = $1', [job['id'], to]);
      if ((await refusal(set)) === null) taken.push(to);
      await client.query('ROLLBACK TO step');
    }
    expect(taken).toEqual(NEXT[from]);
  });

  it('progress never goes backwards within one lease; a new lease starts afresh', async () => {
    const { id } = await addRow(client, 'processing_jobs', userId);
    const set = async (columns: string): Promise<number> =>
      (
        await rowsOf<{ p: number }>(
          `UPDATE processing_jobs SET ${columns} WHERE id = $1 RETURNING progress_percentage AS p`,
          [id],
        )
      )[0]?.p ?? -1;
    expect(await set('progress_percentage = 60')).toBe(60);
    expect(await set('progress_percentage = 20')).toBe(60);
    expect(await set('progress_percentage = 0, fencing_token = fencing_token + 1')).toBe(0);
  });
});
