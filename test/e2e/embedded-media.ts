import type { Database } from '../../src/infrastructure/database/database.js';
import type { Session } from '../harness/app.js';
import {
  asUser,
  embedText,
  insertEmbeddings,
  insertMedia,
  type EmbeddingFixture,
  type MediaFixture,
} from '../integration/search-fixtures.js';

export type Segment = Omit<EmbeddingFixture, 'mediaFileId' | 'vector'> & { text: string };

/** A file with the vector of its title, or of `text` ('' for one that is not embedded yet), and those of its segments. */
export async function addEmbedded(
  database: Database,
  modelId: number,
  session: Session,
  media: MediaFixture,
  text = media.title,
  segments: Segment[] = [],
): Promise<string> {
  const vectors = await Promise.all(
    [...(text === '' ? [] : [{ text }]), ...segments].map(async (segment) => ({
      ...segment,
      vector: await embedText(segment.text),
    })),
  );
  return asUser(session.id, () =>
    database.run(async (tx) => {
      const mediaFileId = await insertMedia(tx, session.id, media);
      const rows = vectors.map((vector) => ({ ...vector, mediaFileId }));
      if (rows.length > 0) await insertEmbeddings(tx, session.id, modelId, rows);
      return mediaFileId;
    }),
  );
}

export const idsOf = (list: { media: { id: string } }[]): string[] => list.map((hit) => hit.media.id);
