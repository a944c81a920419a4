import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { activeModel, asUser, type MediaFixture } from '../integration/search-fixtures.js';
import { addEmbedded, type Segment } from './embedded-media.js';

/** The product without jobs, and libraries whose files are put in with their vectors. */
export interface Library {
  readonly app: TestApp;
  /** Row of the active embedding model. */
  readonly modelId: number;
  /** A user whose plan has every feature and no limit of searches. */
  newUser(): Promise<Session>;
  /** See addEmbedded. @returns the file's id */
  add(session: Session, media: MediaFixture, text?: string, segments?: Segment[]): Promise<string>;
  toTrash(session: Session, id: string): Promise<void>;
  searchesUsed(session: Session): Promise<number>;
  /** Own searches as the API shows them, newest first. */
  historyOf(session: Session): Promise<Record<string, unknown>[]>;
}

/** For the top of a spec: starts the product before its tests, and stops it after them. */
export function useLibrary(): Library {
  let app: TestApp;
  let modelId: number;
  beforeAll(async () => {
    app = await startTestApp({}, { jobs: false });
    modelId = await activeModel(app.database);
  }, 120_000);
  afterAll(() => app.stop());
  return {
    get app() {
      return app;
    },
    get modelId() {
      return modelId;
    },
    newUser: () => app.createSession({ subscriptionTier: 'ultimate' }),
    add: (session, media, text, segments) =>
      addEmbedded(app.database, modelId, session, media, text, segments),
    toTrash: async (session, id) => {
      const where = { userId_id: { userId: session.id, id } };
      await asUser(session.id, () =>
        app.database.run((tx) => tx.mediaFile.update({ where, data: { deletedAt: new Date() } })),
      );
    },
    searchesUsed: (session) => searchesUsed(app, session),
    historyOf: async (session) => {
      const { body } = await app.http.get('/v1/searches').set(session.headers).expect(200);
      return (body as { items: Record<string, unknown>[] }).items;
    },
  };
}

export async function searchesUsed(app: TestApp, session: Session): Promise<number> {
  const { body } = await app.http.get('/v1/me/usage').set(session.headers).expect(200);
  return (body as { searches: { used: number } }).searches.used;
}
