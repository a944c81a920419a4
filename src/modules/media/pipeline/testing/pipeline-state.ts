import type { PipelineBench } from './pipeline-bench.js';

interface Owner {
  id: string;
}

/** All that the pipeline wrote about a file, without ids and times of writing, as its owner sees it. */
export async function stateOf(bench: PipelineBench, user: Owner, id: string) {
  return bench.as(user.id, () =>
    bench.database.run(async (tx) => {
      const where = { userId: user.id, mediaFileId: id };
      const media = await tx.mediaFile.findFirstOrThrow({ where: { userId: user.id, id } });
      const { updatedAt: _, ...columns } = media;
      const embeddings = await tx.mediaEmbedding.findMany({
        where,
        orderBy: [{ segmentType: 'desc' }, { startTimeSeconds: 'asc' }],
        omit: { id: true, createdAt: true, updatedAt: true, analysisId: true },
      });
      return {
        media: columns,
        labels: await tx.mediaLabel.findMany({ where, orderBy: { label: 'asc' } }),
        categories: await tx.mediaCategory.findMany({
          where,
          select: { source: true, category: { select: { name: true } } },
        }),
        keyframes: await tx.keyframe.findMany({
          where,
          orderBy: { timestampSeconds: 'asc' },
          omit: { id: true, storageKey: true, createdAt: true },
        }),
        segments: await tx.transcriptSegment.findMany({
          where,
          orderBy: { startTimeSeconds: 'asc' },
          omit: { id: true, createdAt: true },
        }),
        clips: await tx.clip.findMany({
          where,
          orderBy: { rank: 'asc' },
          omit: { id: true, createdAt: true, updatedAt: true },
        }),
        embeddings: embeddings.map((row) => ({ ...row, modelId: 0 })),
      };
    }),
  );
}

/** The last version of each kind of analysis. */
export async function versionsOf(
  bench: PipelineBench,
  user: Owner,
  id: string,
): Promise<Record<string, number>> {
  const rows = await bench.as(user.id, () =>
    bench.database.run((tx) => tx.analysis.findMany({ where: { userId: user.id, mediaFileId: id } })),
  );
  const versions: Record<string, number> = {};
  for (const { kind, version } of rows) versions[kind] = Math.max(versions[kind] ?? 0, version);
  return versions;
}

/** All objects of one user, sorted. */
export async function storedKeys(bench: PipelineBench, user: Owner): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bench.storage.list(`tenant/${user.id}/`)) keys.push(key);
  return keys.sort();
}

/** Ids of the user's files that the full-text search finds. */
export async function textHits(bench: PipelineBench, user: Owner, terms: string): Promise<string[]> {
  const rows = await bench.as(user.id, () =>
    bench.database.run(
      (tx) => tx.$queryRaw<{ id: string }[]>`SELECT media_file_id AS id FROM search_documents(${terms})`,
    ),
  );
  return rows.map(({ id }) => id);
}
