import { Prisma } from '../../../../infrastructure/database/generated/client.js';

export interface FileKey {
  userId: string;
  mediaFileId: string;
}

/**
 * Files that should have vectors: their analysis is complete, or the active model has vectors of them already (a file
 * that is analysed again stays findable meanwhile). What lies in the trash is not searched, so it is not asked for.
 */
const SEARCHABLE = Prisma.sql`m.deleted_at IS NULL AND (m.status IN ('completed', 'archived') OR EXISTS (
      SELECT 1 FROM media_embeddings a WHERE a.user_id = m.user_id AND a.media_file_id = m.id
        AND a.model_id = (SELECT id FROM embedding_models WHERE state = 'active')))`;

const embedded = (modelId: number): Prisma.Sql => Prisma.sql`EXISTS (
      SELECT 1 FROM media_embeddings e
      WHERE e.user_id = m.user_id AND e.media_file_id = m.id AND e.model_id = ${modelId}::smallint)`;

/** Jobs of re-embedding the file `m` with the model. */
const reindexJobs = (modelId: number): Prisma.Sql => Prisma.sql`
      FROM processing_jobs j WHERE j.user_id = m.user_id AND j.media_file_id = m.id AND j.job_type = 'reindex'
        AND (j.job_config ->> 'modelId')::integer = ${modelId}::integer`;

const OPEN = Prisma.sql`('blocked', 'pending', 'retrying', 'processing')`;

/** See EmbeddingModelsRepository.lock. Held to the end of the transaction. */
export function lockModels(mode: 'shared' | 'exclusive'): Prisma.Sql {
  return mode === 'shared'
    ? Prisma.sql`SELECT pg_advisory_xact_lock_shared(hashtext('embedding_models'))::text`
    : Prisma.sql`SELECT pg_advisory_xact_lock(hashtext('embedding_models'))::text`;
}

export interface ModelFiguresRow {
  /** Files that should have vectors. */
  searchableFiles: number;
  /** Of these, files that have them. */
  embeddedFiles: number;
  /** Of those that have none, files whose re-embedding has failed or was cancelled and is not tried again. */
  failedFiles: number;
  /** Vectors, those of files in the trash among them. */
  segments: number;
  openJobs: number;
}

/** The check "searchable items = embedded items" for one model, over all users. For administrators and the system. */
export function modelFigures(modelId: number): Prisma.Sql {
  return Prisma.sql`
  WITH files AS MATERIALIZED (
    SELECT m.user_id, m.id, ${embedded(modelId)} AS is_embedded FROM media_files m WHERE ${SEARCHABLE}
  )
  SELECT count(*)::integer AS "searchableFiles", count(*) FILTER (WHERE m.is_embedded)::integer AS "embeddedFiles",
    count(*) FILTER (WHERE NOT m.is_embedded
      AND EXISTS (SELECT 1 ${reindexJobs(modelId)} AND j.status IN ('failed', 'cancelled'))
      AND NOT EXISTS (SELECT 1 ${reindexJobs(modelId)} AND j.status IN ${OPEN}))::integer AS "failedFiles",
    (SELECT count(*)::integer FROM media_embeddings WHERE model_id = ${modelId}::smallint) AS segments,
    (SELECT count(*)::integer FROM processing_jobs j WHERE j.job_type = 'reindex' AND j.status IN ${OPEN}
      AND (j.job_config ->> 'modelId')::integer = ${modelId}::integer) AS "openJobs"
  FROM files m`;
}

export function missingFiles(modelId: number, limit: number): Prisma.Sql {
  return Prisma.sql`
  SELECT m.user_id AS "userId", m.id AS "mediaFileId" FROM media_files m
  WHERE ${SEARCHABLE} AND NOT ${embedded(modelId)}
  ORDER BY m.user_id, m.id LIMIT ${limit}::integer`;
}

export interface EstimateFactsRow {
  files: number;
  /** Of these, files whose texts are known from the vectors of another model. */
  knownFiles: number;
  knownSegments: number;
  knownCharacters: bigint;
  /** UTF-8, each text counted up to `maxTextBytes`. */
  knownBytes: bigint;
}

/** How much text the files without vectors of the model have, as it was embedded last with whichever model. */
export function estimateFacts(modelId: number, maxTextBytes = 8_000): Prisma.Sql {
  return Prisma.sql`
  SELECT count(*)::integer AS files, count(*) FILTER (WHERE texts.segments > 0)::integer AS "knownFiles",
    coalesce(sum(texts.segments), 0)::integer AS "knownSegments",
    coalesce(sum(texts.characters), 0)::bigint AS "knownCharacters", coalesce(sum(texts.bytes), 0)::bigint AS "knownBytes"
  FROM media_files m
  CROSS JOIN LATERAL (
    SELECT count(*) AS segments, sum(char_length(e.source_text)) AS characters,
      sum(least(octet_length(e.source_text), ${maxTextBytes}::integer)) AS bytes
    FROM media_embeddings e
    WHERE e.user_id = m.user_id AND e.media_file_id = m.id AND e.model_id = (
      SELECT newest.model_id FROM media_embeddings newest
      WHERE newest.user_id = m.user_id AND newest.media_file_id = m.id ORDER BY newest.created_at DESC LIMIT 1)
  ) texts
  WHERE ${SEARCHABLE} AND NOT ${embedded(modelId)}`;
}

export function hasVectors({ userId, mediaFileId }: FileKey, modelId: number): Prisma.Sql {
  return Prisma.sql`
  SELECT 1 FROM media_embeddings WHERE user_id = ${userId}::uuid AND media_file_id = ${mediaFileId}::uuid
    AND model_id = ${modelId}::smallint LIMIT 1`;
}

/** How many jobs of re-embedding have not ended, over all models and users. */
export function openReindexJobs(): Prisma.Sql {
  return Prisma.sql`SELECT count(*)::integer AS jobs FROM processing_jobs WHERE job_type = 'reindex' AND status IN ${OPEN}`;
}

export interface ReindexCandidateRow extends FileKey {
  subscriptionTier: string;
}

/**
 * The next files that need a job: without vectors of the model, and without a job that has not ended or was written since
 * re-embedding was asked for (one that failed is not repeated before it is asked for again).
 * @param after only files behind this one, so that a pass over a large library reads each file once
 */
export function reindexCandidates(input: {
  modelId: number;
  requestedAt: Date;
  after: FileKey | null;
  limit: number;
}): Prisma.Sql {
  const { modelId, requestedAt, after, limit } = input;
  const behind = after
    ? Prisma.sql`AND (m.user_id, m.id) > (${after.userId}::uuid, ${after.mediaFileId}::uuid)`
    : Prisma.empty;
  return Prisma.sql`
  SELECT m.user_id AS "userId", m.id AS "mediaFileId", u.subscription_tier AS "subscriptionTier"
  FROM media_files m JOIN users u ON u.id = m.user_id
  WHERE ${SEARCHABLE} AND NOT ${embedded(modelId)} ${behind}
    AND NOT EXISTS (SELECT 1 ${reindexJobs(modelId)} AND (j.status IN ${OPEN} OR j.created_at >= ${requestedAt}))
  ORDER BY m.user_id, m.id LIMIT ${limit}::integer`;
}

/** Cancels what waits and asks what runs to stop. */
export function cancelReindexJobs(modelId: number): Prisma.Sql {
  return Prisma.sql`
  UPDATE processing_jobs SET
    status = CASE WHEN status = 'processing' THEN status ELSE 'cancelled' END,
    completed_at = CASE WHEN status = 'processing' THEN completed_at ELSE now() END,
    cancel_requested_at = coalesce(cancel_requested_at, now())
  WHERE job_type = 'reindex' AND status IN ${OPEN} AND (job_config ->> 'modelId')::integer = ${modelId}::integer`;
}

/** Small batches: a long DELETE would hold its transaction open, and with it every vacuum. */
export function deleteVectors(modelId: number, limit: number): Prisma.Sql {
  return Prisma.sql`
  DELETE FROM media_embeddings WHERE (user_id, id) IN (
    SELECT user_id, id FROM media_embeddings WHERE model_id = ${modelId}::smallint LIMIT ${limit}::integer)`;
}

/** One process at a time hands out files. False when another one is at it. */
export function lockReindex(): Prisma.Sql {
  return Prisma.sql`SELECT pg_try_advisory_xact_lock(hashtext('embedding_models.reindex')) AS taken`;
}
