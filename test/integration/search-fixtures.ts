import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { LocalTextEmbedder } from '../../src/infrastructure/ai/local/local-text-embedder.js';
import { encodeHalfvecText, l2Normalize, toStoredVector } from '../../src/infrastructure/ai/vectors.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import { Prisma } from '../../src/infrastructure/database/generated/client.js';
import { activateModel } from '../../src/modules/media/pipeline/testing/activate-model.js';
import { actingAs } from '../harness/database.js';

export const embedder = new LocalTextEmbedder();

/** Makes the local embeddings the active model. @returns its id */
export const activeModel = (database: Database): Promise<number> => activateModel(database, embedder.model);

export const asUser = <T>(userId: string, fn: () => Promise<T>): Promise<T> =>
  actingAs({ kind: 'user', userId }, fn);

export interface MediaFixture {
  title: string;
  originalFilename?: string;
  fileType?: 'image' | 'video';
  status?: string;
  tags?: string[];
  categories?: string[];
  labels?: { name: string; confidence: number }[];
  summary?: string;
  detectedText?: string[];
  transcript?: string;
  language?: string;
  isPrivate?: boolean;
  deletedAt?: Date;
  uploadedAt?: Date;
  takenAt?: Date;
  durationSeconds?: number;
  fileSizeBytes?: number;
  viewCount?: number;
  perceptualHash?: string;
}

/** Inserts a file as its owner; tags and categories through their link tables, as the application does. */
export async function insertMedia(tx: Transaction, userId: string, media: MediaFixture): Promise<string> {
  const id = uuidv7();
  await tx.mediaFile.create({
    data: {
      userId,
      id,
      filename: `${id}.jpg`,
      originalFilename: media.originalFilename ?? 'IMG_0001.jpg',
      title: media.title,
      fileType: media.fileType ?? 'image',
      mimeType: media.fileType === 'video' ? 'video/mp4' : 'image/jpeg',
      fileSizeBytes: BigInt(media.fileSizeBytes ?? 1000),
      viewCount: media.viewCount ?? 0,
      fileHash: randomUUID().replaceAll('-', '').padEnd(64, '0'),
      storageProvider: 'local',
      s3Bucket: 'local',
      s3Key: `${userId}/${id}`,
      status: media.status ?? 'completed',
      aiSummary: media.summary ?? null,
      detectedLabels: (media.labels ?? []).map((label) => ({ ...label, kind: 'object' })),
      detectedText: media.detectedText ?? [],
      transcriptionText: media.transcript ?? null,
      language: media.language ?? null,
      isPrivate: media.isPrivate ?? false,
      deletedAt: media.deletedAt ?? null,
      uploadedAt: media.uploadedAt ?? new Date(),
      takenAt: media.takenAt ?? null,
      durationSeconds: media.durationSeconds ?? null,
      perceptualHash: media.perceptualHash ?? null,
    },
  });
  for (const name of media.tags ?? []) {
    const tag =
      (await tx.tag.findFirst({ where: { userId, name } })) ??
      (await tx.tag.create({ data: { userId, id: uuidv7(), name } }));
    await tx.mediaTag.create({ data: { userId, mediaFileId: id, tagId: tag.id } });
  }
  for (const name of media.categories ?? []) {
    const category = await tx.category.findFirstOrThrow({ where: { name } });
    await tx.mediaCategory.create({ data: { userId, mediaFileId: id, categoryId: category.id } });
  }
  for (const label of media.labels ?? []) {
    await tx.mediaLabel.create({
      data: { userId, mediaFileId: id, label: label.name, confidence: label.confidence, kind: 'object' },
    });
  }
  return id;
}

export interface EmbeddingFixture {
  mediaFileId: string;
  vector: string;
  segmentType?: 'full' | 'audio' | 'visual';
  start?: number;
  end?: number;
  text?: string;
}

/** Inserts vectors (halfvec text) in one statement. */
export async function insertEmbeddings(
  tx: Transaction,
  userId: string,
  modelId: number,
  rows: EmbeddingFixture[],
): Promise<void> {
  const values = rows.map((row) => {
    const type = row.segmentType ?? 'full';
    return Prisma.sql`(${userId}::uuid, ${uuidv7()}::uuid, ${row.mediaFileId}::uuid, ${modelId}::smallint, ${type},
      ${row.start ?? null}::numeric, ${row.end ?? null}::numeric, ${type === 'full'}, ${row.text ?? 'text'}, ${row.vector}::halfvec(1536))`;
  });
  await tx.$executeRaw`INSERT INTO media_embeddings (user_id, id, media_file_id, model_id, segment_type,
    start_time_seconds, end_time_seconds, is_primary, source_text, embedding) VALUES ${Prisma.join(values)}`;
}

/** halfvec text of a text's local embedding. */
export async function embedText(text: string): Promise<string> {
  const { vectors } = await embedder.embed([text]);
  return encodeHalfvecText(toStoredVector(vectors[0]!));
}

/** Reproducible random numbers in [0, 1): mulberry32 (Tommy Ettinger, public domain). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A unit vector of normally distributed elements. */
export function randomVector(random: () => number): Float32Array {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return l2Normalize(Float32Array.from({ length: 1536 }, normal))!;
}

/** The direction half-way between two unit vectors: a member of the first one's cluster. */
export function near(centre: Float32Array, noise: Float32Array): Float32Array {
  return l2Normalize(centre.map((element, index) => element + noise[index]!))!;
}

/**
 * Inserts one file with one vector for every pair of a centre and a noise vector, as `near` would make it; added up by
 * the database, because sending thousands of vectors took a minute on the embedded one. Every 500th file is a video.
 * @returns ids of the videos
 */
export async function insertClusters(
  tx: Transaction,
  userId: string,
  modelId: number,
  centres: Float32Array[],
  noises: Float32Array[],
): Promise<string[]> {
  const files = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO media_files (user_id, id, filename, original_filename, title, file_type, mime_type,
      file_size_bytes, file_hash, storage_provider, s3_bucket, s3_key, status)
    SELECT ${userId}::uuid, gen_random_uuid(), 'f', 'f.jpg', 't', CASE WHEN n % 500 = 0 THEN 'video' ELSE 'image' END,
      'image/jpeg', 1, lpad(to_hex(n), 64, '0'), 'local', 'b', ${userId} || '/' || n, 'completed'
    FROM generate_series(1, ${centres.length * noises.length}::integer) n
    RETURNING id`;
  const ids = files.map((file) => file.id);
  await tx.$executeRaw`
    INSERT INTO media_embeddings (user_id, id, media_file_id, model_id, segment_type, is_primary, source_text, embedding)
    SELECT ${userId}::uuid, gen_random_uuid(), (${ids}::uuid[])[(c.position - 1) * ${noises.length}::integer + n.position],
      ${modelId}::smallint, 'full', true, 'text', l2_normalize(c.v + n.v)
    FROM (SELECT v::halfvec(1536) AS v, position FROM unnest(${centres.map(encodeHalfvecText)}::text[])
            WITH ORDINALITY AS u(v, position) OFFSET 0) c
    CROSS JOIN (SELECT v::halfvec(1536) AS v, position FROM unnest(${noises.map(encodeHalfvecText)}::text[])
            WITH ORDINALITY AS u(v, position) OFFSET 0) n`;
  const videos = await tx.mediaFile.findMany({ where: { userId, fileType: 'video' }, select: { id: true } });
  return videos.map((video) => video.id);
}
