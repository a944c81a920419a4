import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { jest } from '@jest/globals';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { StorageUnavailableError } from '../../src/infrastructure/storage/object-storage.js';
import { originalKey } from '../../src/infrastructure/storage/storage-keys.js';
import { MediaSummaryReader } from '../../src/modules/media/media-summary.reader.js';
import { TrashPurger } from '../../src/modules/media/trash-purger.js';
import { subtitlesKeyOf } from '../../src/modules/media/upload/subtitles-key.js';
import { UploadSweeper } from '../../src/modules/media/upload/upload-sweeper.js';
import { picture } from '../../src/modules/media/testing/sample-files.js';
import { actingAs, connectAsSuperuser } from '../harness/database.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

let app: TestApp;
let superuser: pg.Client;

beforeAll(async () => {
  app = await startTestApp({}, { jobs: false });
  superuser = await connectAsSuperuser();
  // What other files' tests left in the database that is shared is due as well, and is not to be counted here.
  await app.nest.get(UploadSweeper, { strict: false }).sweep();
  await app.nest.get(TrashPurger, { strict: false }).purge();
});

afterAll(async () => {
  await superuser.end();
  await app.stop();
});

afterEach(() => {
  jest.restoreAllMocks();
});

const newUser = (): Promise<Session> => app.createSession({ subscriptionTier: 'ultimate' });

async function upload(session: Session): Promise<string> {
  const { body } = await app.http
    .post('/v1/media')
    .set(session.headers)
    .field('tags', 'sea')
    .field('category', 'nature')
    .attach('file', await picture(), 'a.jpg')
    .expect(201);
  return (body as { id: string }).id;
}

async function objectsOf(session: Session): Promise<string[]> {
  const keys: string[] = [];
  for await (const object of app.runtime.storage.list(`tenant/${session.id}/`)) keys.push(object.key);
  return keys;
}

async function uploadsUsed(session: Session): Promise<number> {
  const { body } = await app.http.get('/v1/me/usage').set(session.headers).expect(200);
  return (body as { uploads: { used: number } }).uploads.used;
}

describe('UploadSweeper', () => {
  /** What a process leaves that dies after it stored the object and before it wrote the row. */
  async function crashedUpload(
    session: Session,
    expiresIn: string,
  ): Promise<{ key: string; reservationId: string }> {
    const reservationId = uuidv7();
    const key = originalKey(session.id, uuidv7(), 'jpg');
    await app.runtime.storage.putBuffer(key, Buffer.from('bytes'), 'image/jpeg');
    await app.runtime.storage.putBuffer(subtitlesKeyOf(key), Buffer.from('lines'), 'text/plain');
    await superuser.query(
      `INSERT INTO upload_reservations (user_id, id, billing_period_start, storage_key, expires_at)
       SELECT id, $2, billing_period_start, $3, now() + $4::interval FROM users WHERE id = $1`,
      [session.id, reservationId, key, expiresIn],
    );
    await superuser.query('UPDATE users SET uploads_this_month = uploads_this_month + 1 WHERE id = $1', [
      session.id,
    ]);
    return { key, reservationId };
  }

  it('B8: removes the objects of uploads that never became a file, and nothing else', async () => {
    const session = await newUser();
    const id = await upload(session);
    await crashedUpload(session, '-1 minute');
    const underWay = await crashedUpload(session, '30 minutes');
    // A reservation whose file was committed all the same must not take the file's object away.
    await superuser.query(
      `INSERT INTO upload_reservations (user_id, id, billing_period_start, storage_key, expires_at)
       SELECT user_id, gen_random_uuid(), now(), s3_key, now() - interval '1 hour' FROM media_files WHERE id = $1`,
      [id],
    );
    const sweeper = app.nest.get(UploadSweeper, { strict: false });
    expect(await uploadsUsed(session)).toBe(3);
    expect(await sweeper.sweep()).toEqual({ stagedFiles: 0, reservations: 2, objects: 1 });
    expect((await objectsOf(session)).sort()).toEqual(
      [originalKey(session.id, id, 'jpg'), underWay.key, subtitlesKeyOf(underWay.key)].sort(),
    );
    expect(await sweeper.sweep()).toEqual({ stagedFiles: 0, reservations: 0, objects: 0 });
    // B11: the slot of the crashed upload is free again; the file's own, and the one under way, are not.
    expect(await uploadsUsed(session)).toBe(2);
    const { rows } = await superuser.query('SELECT id::text FROM upload_reservations WHERE user_id = $1', [
      session.id,
    ]);
    expect(rows).toEqual([{ id: underWay.reservationId }]);
  });

  it('tries again when the store does not answer', async () => {
    const session = await newUser();
    await crashedUpload(session, '-1 minute');
    const sweeper = app.nest.get(UploadSweeper, { strict: false });
    jest
      .spyOn(app.runtime.storage, 'delete')
      .mockRejectedValueOnce(new StorageUnavailableError('down', 'unreachable'));
    await expect(sweeper.sweep()).rejects.toThrow('down');
    expect(await sweeper.sweep()).toMatchObject({ objects: 1 });
    expect(await objectsOf(session)).toEqual([]);
  });

  it('an upload that outlives its reservation is refused, and nothing of it stays', async () => {
    const session = await newUser();
    const { storage } = app.runtime;
    const putFile = storage.putFile.bind(storage);
    jest.spyOn(storage, 'putFile').mockImplementationOnce(async (...args) => {
      const stored = await putFile(...args);
      await superuser.query(`UPDATE upload_reservations SET expires_at = now() WHERE user_id = $1`, [
        session.id,
      ]);
      return stored;
    });
    const response = await app.http
      .post('/v1/media')
      .set(session.headers)
      .attach('file', await picture(), 'a.jpg');
    expect([response.status, response.body.code]).toEqual([409, 'upload-expired']);
    expect(await objectsOf(session)).toEqual([]);
    expect(await uploadsUsed(session)).toBe(0);
  });

  it('removes staged files that are older than a day', async () => {
    const staging = path.join(app.runtime.config.DATA_DIR, 'staging');
    await mkdir(staging, { recursive: true });
    await writeFile(path.join(staging, 'old'), 'x');
    await writeFile(path.join(staging, 'new'), 'x');
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    await utimes(path.join(staging, 'old'), yesterday, yesterday);
    expect(await app.nest.get(UploadSweeper, { strict: false }).sweep()).toMatchObject({ stagedFiles: 1 });
    expect(await readdir(staging)).toEqual(['new']);
  });
});

describe('TrashPurger', () => {
  async function inTrashSince(session: Session, days: number): Promise<string> {
    const id = await upload(session);
    await superuser.query(
      `UPDATE media_files SET deleted_at = now() - make_interval(days => $2) WHERE id = $1`,
      [id, days],
    );
    return id;
  }

  it('C58: removes what has been in the trash for 30 days, rows and objects', async () => {
    const session = await newUser();
    const kept = await inTrashSince(session, 29);
    await inTrashSince(session, 31);
    await inTrashSince(session, 400);
    const active = await upload(session);
    expect(await app.nest.get(TrashPurger, { strict: false }).purge()).toEqual({ purged: 2, failed: 0 });
    const { rows } = await superuser.query(
      'SELECT id::text FROM media_files WHERE user_id = $1 ORDER BY id',
      [session.id],
    );
    expect(rows.map(({ id }: { id: string }) => id)).toEqual([kept, active].sort());
    expect((await objectsOf(session)).sort()).toEqual(
      [originalKey(session.id, kept, 'jpg'), originalKey(session.id, active, 'jpg')].sort(),
    );
    const left = await superuser.query(
      'SELECT DISTINCT media_file_id::text AS id FROM processing_jobs WHERE user_id = $1',
      [session.id],
    );
    expect(left.rows).toHaveLength(2);
    await app.http.post(`/v1/media/${kept}/restore`).set(session.headers).expect(200);
  });

  it('one file that cannot be removed does not keep the others, and is removed the next time', async () => {
    const session = await newUser();
    await inTrashSince(session, 40);
    await inTrashSince(session, 39);
    await inTrashSince(session, 38);
    jest
      .spyOn(app.runtime.storage, 'delete')
      .mockRejectedValueOnce(new StorageUnavailableError('down', 'unreachable'));
    const purger = app.nest.get(TrashPurger, { strict: false });
    expect(await purger.purge()).toEqual({ purged: 2, failed: 1 });
    expect(await purger.purge()).toEqual({ purged: 1, failed: 0 });
    expect(await objectsOf(session)).toEqual([]);
  });
});

describe('MediaSummaryReader', () => {
  it("gives the current user's files by id, and nothing of others or of the trash", async () => {
    const [alice, bob] = [await newUser(), await newUser()];
    const [own, trashed, foreign] = [await upload(alice), await upload(alice), await upload(bob)];
    await app.http.delete(`/v1/media/${trashed}`).set(alice.headers).expect(204);
    const reader = app.nest.get(MediaSummaryReader, { strict: false });
    const read = await actingAs({ kind: 'user', userId: alice.id }, () =>
      app.database.run((tx) => reader.readMany(tx, [foreign, own, trashed, uuidv7()])),
    );
    expect([...read.keys()]).toEqual([own]);
    expect(read.get(own)).toMatchObject({ id: own, title: 'a', tags: ['sea'], jobs: { total: 5 } });
  });
});
