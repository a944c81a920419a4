import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddingModelResponse } from '../../src/modules/media/embedding-models/dto/embedding-models.dto.js';
import { startTestApp, type Session, type TestApp } from '../harness/app.js';
import { asUser, embedText, insertEmbeddings, insertMedia, type MediaFixture } from './search-fixtures.js';

export const V2 = { provider: 'local', name: 'local-hash-embedding', version: 'v2', dimensions: 1024 };

/** A library that was embedded with v1, and an administrator. */
export interface World {
  app: TestApp;
  admin: Session;
  /** Id of the local model v1; 0 while it is not registered. */
  v1: number;
  add(session: Session, media: MediaFixture): Promise<string>;
  list(): Promise<EmbeddingModelResponse[]>;
  model(id: number): Promise<EmbeddingModelResponse>;
  /** POST to a model's route. Gives status and body. */
  post(
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Record<string, never> & { id: number } }>;
  /** Waits until every searchable file has vectors of the model. */
  complete(id: number): Promise<EmbeddingModelResponse>;
  /** Ids of the models that a file has vectors of, with the number of vectors. */
  vectors(session: Session, mediaFileId: string): Promise<Record<number, number>>;
  search(
    session: Session,
    query: string,
  ): Promise<{ model: string | null; ids: string[]; degradedReason?: string }>;
}

export async function openWorld(databaseUrl: string, env: Record<string, string> = {}): Promise<World> {
  const app = await startTestApp(env, { databaseUrl });
  return worldOf(app, null);
}

/** @param known an administrator of an earlier process; a fresh one when null */
export async function worldOf(app: TestApp, known: Session | null): Promise<World> {
  const admin = known ?? (await app.createSession({ role: 'ADMIN', subscriptionTier: 'ultimate' }));
  const v1 = await app.database.runAsSystem('start-up', async (tx) => {
    const row = await tx.embeddingModel.findFirst({ where: { ...V2, version: 'v1', dimensions: 1536 } });
    return row?.id ?? null;
  });
  const url = '/v1/admin/embedding-models';
  const list = async (): Promise<EmbeddingModelResponse[]> =>
    (await app.http.get(url).set(admin.headers).expect(200)).body.items;
  const model = async (id: number): Promise<EmbeddingModelResponse> => {
    const found = (await list()).find((item) => item.id === id);
    if (!found) throw new Error(`there is no model ${id}`);
    return found;
  };
  return {
    app,
    admin,
    v1: v1 ?? 0,
    list,
    model,
    add: async (session, media) => {
      const vector = await embedText(media.title);
      const { id: modelId } = await app.database.runAsSystem('start-up', (tx) =>
        tx.embeddingModel.findFirstOrThrow({ where: { ...V2, version: 'v1', dimensions: 1536 } }),
      );
      return asUser(session.id, () =>
        app.database.run(async (tx) => {
          const id = await insertMedia(tx, session.id, media);
          await insertEmbeddings(tx, session.id, modelId, [{ mediaFileId: id, vector, text: media.title }]);
          return id;
        }),
      );
    },
    post: async (path, body = {}) => {
      const response = await app.http.post(`${url}${path}`).set(admin.headers).send(body);
      return { status: response.status, body: response.body };
    },
    complete: (id) =>
      app.eventually(async () => {
        const found = await model(id);
        if (found.isComplete && found.openJobs === 0) return found;
        await sleep(200);
        return null;
      }),
    vectors: (session, mediaFileId) =>
      asUser(session.id, () =>
        app.database.run(async (tx) => {
          const rows = await tx.mediaEmbedding.groupBy({
            by: ['modelId'],
            where: { userId: session.id, mediaFileId },
            _count: true,
          });
          return Object.fromEntries(rows.map((row) => [row.modelId, row._count]));
        }),
      ),
    search: async (session, query) => {
      const { body } = await app.http
        .post('/v1/search')
        .set(session.headers)
        .send({ query, alpha: 1 })
        .expect(200);
      return {
        model: body.model,
        ids: body.items.map((item: { media: { id: string } }) => item.media.id),
        ...(body.degradedReason ? { degradedReason: body.degradedReason } : {}),
      };
    },
  };
}
