import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import type { Response } from 'supertest';
import { picture } from '../../src/modules/media/testing/sample-files.js';
import { connectAsSuperuser } from '../harness/database.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';

export interface Media {
  id: string;
  title: string;
  tags: string[];
  fileHash: string;
}

export interface MediaPage {
  items: Media[];
  nextCursor: string | null;
}

/** The whole product without workers, so that what a request leaves is looked at before any job has run. */
export class MediaClient {
  constructor(
    readonly app: TestApp,
    readonly superuser: pg.Client,
  ) {}

  static async open(): Promise<MediaClient> {
    return new MediaClient(await startTestApp({}, { jobs: false }), await connectAsSuperuser());
  }

  async close(): Promise<void> {
    await this.superuser.end();
    await this.app.stop();
  }

  /** On the plan without a monthly limit. */
  newUser(): Promise<Session> {
    return this.app.createSession({ subscriptionTier: 'ultimate' });
  }

  /** Sends one file, whatever comes of it. */
  send(session: Session, content: Buffer, filename: string): Promise<Response> {
    return Promise.resolve(
      this.app.http.post('/v1/media').set(session.headers).attach('file', content, filename),
    );
  }

  /** Uploads one picture with fields; it must be accepted. */
  async upload(
    session: Session,
    fields: Record<string, string | string[]> = {},
    content?: Buffer,
  ): Promise<Media> {
    const request = this.app.http.post('/v1/media').set(session.headers);
    for (const [name, value] of Object.entries(fields)) {
      for (const entry of [value].flat()) void request.field(name, entry);
    }
    const { body } = await request.attach('file', content ?? (await picture()), 'picture.jpg').expect(201);
    return body as Media;
  }

  async list(session: Session, query = ''): Promise<MediaPage> {
    const { body } = await this.app.http.get(`/v1/media${query}`).set(session.headers).expect(200);
    return body as MediaPage;
  }

  async objectsOf(session: Session): Promise<string[]> {
    const keys: string[] = [];
    for await (const object of this.app.runtime.storage.list(`tenant/${session.id}/`)) keys.push(object.key);
    return keys;
  }

  async uploadsUsed(session: Session): Promise<number> {
    const { body } = await this.app.http.get('/v1/me/usage').set(session.headers).expect(200);
    return (body as { uploads: { used: number } }).uploads.used;
  }

  staged(): Promise<string[]> {
    return readdir(path.join(this.app.runtime.config.DATA_DIR, 'staging')).catch((): string[] => []);
  }

  /** Nothing is stored, no quota is used, and the process goes on. */
  async expectNothingKept(session: Session): Promise<void> {
    const { rows } = await this.superuser.query(
      `SELECT (SELECT count(*)::int FROM media_files WHERE user_id = $1) AS media,
              (SELECT count(*)::int FROM upload_reservations WHERE user_id = $1) AS reservations,
              (SELECT count(*)::int FROM processing_jobs WHERE user_id = $1) AS jobs,
              (SELECT uploads_this_month FROM users WHERE id = $1) AS uploads,
              (SELECT storage_used_bytes::int FROM users WHERE id = $1) AS bytes`,
      [session.id],
    );
    expect(rows[0]).toEqual({ media: 0, reservations: 0, jobs: 0, uploads: 0, bytes: 0 });
    expect(await this.objectsOf(session)).toEqual([]);
    expect(await this.staged()).toEqual([]);
    await this.app.http.get('/health/live').expect(200);
  }

  /** The same, where the answer cut the body short and so arrives before the server has cleaned up. */
  async eventuallyNothingKept(session: Session): Promise<void> {
    await this.app.eventually(async () => {
      const { rowCount } = await this.superuser.query(
        'SELECT 1 FROM upload_reservations WHERE user_id = $1',
        [session.id],
      );
      return rowCount === 0 && (await this.staged()).length === 0 ? true : null;
    });
    await this.expectNothingKept(session);
  }
}
