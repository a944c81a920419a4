import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { AiProviders } from '../../src/infrastructure/ai/ai.types.js';
import type { Database, Transaction } from '../../src/infrastructure/database/database.js';
import {
  buildEmbeddingDocuments,
  type KnownMedia,
} from '../../src/modules/media/pipeline/embedding-documents.js';
import {
  EmbeddingsRepository,
  type EmbeddedDocument,
} from '../../src/modules/media/pipeline/embeddings.repository.js';
import { TranscriptsRepository } from '../../src/modules/media/pipeline/transcripts.repository.js';
import { KeyframesRepository } from '../../src/modules/media/pipeline/keyframes.repository.js';
import { transcriptText } from '../../src/modules/media/pipeline/handlers/transcription.handler.js';
import { titleFromFilename } from '../../src/modules/media/text-rules.js';
import { activateModel } from '../../src/modules/media/pipeline/testing/activate-model.js';
import { asUser } from '../integration/search-fixtures.js';
import { isVideo, type LibraryItem } from './dataset.js';

/** Items written in one transaction. */
const ITEMS_PER_TRANSACTION = 50;
/** Texts of one call to the provider, as in the product. */
const TEXTS_PER_CALL = 64;

/**
 * Stores the items as the product does after their analysis: rows (the search document comes from the trigger), lines of
 * speech, key frames, and the vectors of the product's own documents, made by the provider's own embedder.
 * @returns media file id -> item id
 */
export async function storeLibrary(
  database: Database,
  providers: AiProviders,
  userId: string,
  items: readonly LibraryItem[],
): Promise<Map<string, string>> {
  const embedded = await embedAll(providers, items);
  // In the order of the items: where two score alike, the product lists the smaller id first.
  const stored = items.map((item) => ({ item, mediaFileId: uuidv7() }));
  const asOwner = <T>(fn: (tx: Transaction) => Promise<T>): Promise<T> =>
    asUser(userId, () => database.run(fn));
  const model = { id: await activateModel(database, providers.textEmbedder.model) };
  const tagIds = await asOwner((tx) => storeTags(tx, userId, items));
  for (let start = 0; start < stored.length; start += ITEMS_PER_TRANSACTION) {
    const batch = stored.slice(start, start + ITEMS_PER_TRANSACTION);
    await asOwner((tx) => storeRows(tx, userId, batch, tagIds));
    await asOwner(async (tx) => {
      for (const { item, mediaFileId } of batch) {
        const job = { ...JOB, userId, mediaFileId };
        await new EmbeddingsRepository().replace(tx, job, model.id, embedded.get(item.id)!);
        if (item.cues) await new TranscriptsRepository().replace(tx, job, cuesOf(item), 'speech');
        if (item.keyframes) await new KeyframesRepository().replace(tx, job, keyframesOf(item));
      }
    });
  }
  return new Map(stored.map(({ item, mediaFileId }) => [mediaFileId, item.id]));
}

/** What the repositories want to know of the job beside its file. */
const JOB = {
  id: '00000000-0000-7000-8000-000000000000',
  jobType: 'embedding_generation',
  config: {},
  attempt: 1,
} as const;

/** @returns name -> id */
async function storeTags(
  tx: Transaction,
  userId: string,
  items: readonly LibraryItem[],
): Promise<Map<string, string>> {
  const ids = new Map([...new Set(items.flatMap(({ tags }) => tags))].map((name) => [name, uuidv7()]));
  await tx.tag.createMany({ data: [...ids].map(([name, id]) => ({ userId, id, name })) });
  return ids;
}

/** The rows of the files with their labels, tags and categories, through the link tables as the application does. */
async function storeRows(
  tx: Transaction,
  userId: string,
  batch: readonly { item: LibraryItem; mediaFileId: string }[],
  tagIds: ReadonlyMap<string, string>,
): Promise<void> {
  const categories = await tx.category.findMany({ select: { id: true, name: true } });
  await tx.mediaFile.createMany({ data: batch.map((entry) => mediaRow(userId, entry)) });
  await tx.mediaLabel.createMany({
    data: batch.flatMap(({ item, mediaFileId }) =>
      knownMedia(item).labels.map(({ name, confidence, kind }) => ({
        userId,
        mediaFileId,
        label: name,
        confidence,
        kind,
      })),
    ),
  });
  await tx.mediaTag.createMany({
    data: batch.flatMap(({ item, mediaFileId }) =>
      item.tags.map((name) => ({ userId, mediaFileId, tagId: tagIds.get(name)! })),
    ),
  });
  await tx.mediaCategory.createMany({
    data: batch.flatMap(({ item, mediaFileId }) =>
      item.categories.map((name) => {
        const category = categories.find((candidate) => candidate.name === name);
        if (!category) throw new Error(`${item.id}: there is no category ${name}`);
        return { userId, mediaFileId, categoryId: category.id };
      }),
    ),
  });
}

function mediaRow(userId: string, { item, mediaFileId }: { item: LibraryItem; mediaFileId: string }) {
  const known = knownMedia(item);
  const isFilm = known.fileType === 'video';
  return {
    userId,
    id: mediaFileId,
    filename: `${mediaFileId}.${isFilm ? 'mp4' : 'jpg'}`,
    originalFilename: item.file,
    title: known.title,
    fileType: known.fileType,
    mimeType: isFilm ? 'video/mp4' : 'image/jpeg',
    fileSizeBytes: 1000n,
    fileHash: createHash('sha256').update(item.id).digest('hex'),
    storageProvider: 'local',
    s3Bucket: 'local',
    s3Key: `${userId}/${mediaFileId}`,
    status: 'completed',
    aiSummary: item.summary,
    detectedLabels: known.labels.map((label) => ({ ...label })),
    detectedText: [...known.detectedText],
    transcriptionText: known.transcript,
    language: item.language ?? null,
    isPrivate: item.isPrivate ?? false,
    takenAt: new Date(item.takenAt),
    uploadedAt: new Date(item.takenAt),
    durationSeconds: item.durationSeconds ?? null,
  };
}

async function embedAll(
  { textEmbedder }: AiProviders,
  items: readonly LibraryItem[],
): Promise<Map<string, EmbeddedDocument[]>> {
  const documents = items.flatMap((item) =>
    buildEmbeddingDocuments(knownMedia(item)).map((document) => ({ itemId: item.id, document })),
  );
  const embedded = new Map<string, EmbeddedDocument[]>(items.map((item) => [item.id, []]));
  for (let start = 0; start < documents.length; start += TEXTS_PER_CALL) {
    const batch = documents.slice(start, start + TEXTS_PER_CALL);
    const { vectors } = await textEmbedder.embed(batch.map(({ document }) => document.text));
    for (const [index, { itemId, document }] of batch.entries()) {
      embedded.get(itemId)!.push({ document, vector: vectors[index]! });
    }
  }
  return embedded;
}

function knownMedia(item: LibraryItem): KnownMedia {
  const cues = cuesOf(item);
  return {
    fileType: isVideo(item) ? 'video' : 'image',
    title: item.title ?? titleFromFilename(item.file),
    originalFilename: item.file,
    description: null,
    labels: Object.entries(item.labels).map(([name, confidence]) => ({ name, confidence, kind: 'object' })),
    tags: item.tags,
    categories: item.categories,
    summary: item.summary,
    detectedText: item.detectedText ?? [],
    transcript: transcriptText(cues),
    durationSeconds: item.durationSeconds ?? null,
    keyframes: keyframesOf(item),
    cues,
    cueSource: cues.length > 0 ? 'speech' : null,
    analysisIds: { full: null, visual: null, audio: null },
  };
}

function cuesOf(item: LibraryItem) {
  return (item.cues ?? []).map(([startSeconds, endSeconds, text]) => ({ startSeconds, endSeconds, text }));
}

function keyframesOf(item: LibraryItem) {
  return (item.keyframes ?? []).map(([timestampSeconds, description]) => ({
    timestampSeconds,
    description,
    labels: [],
    detectedText: [],
    storageKey: `keyframes/${item.id}/${timestampSeconds}.jpg`,
    width: 640,
    height: 360,
    sizeBytes: 20_000,
    perceptualHash: null,
  }));
}
