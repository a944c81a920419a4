import type { MediaFile } from '../../infrastructure/database/generated/client.js';
import type {
  DetectedLabelResponse,
  DominantColorResponse,
  MediaDetailResponse,
  MediaJobsResponse,
  MediaResponse,
} from './dto/media.response.js';
import type { MediaSummaryRow } from './sql/media-summaries.sql.js';

/** Of a file without jobs, and of one whose jobs nobody asked for. */
export const NO_JOBS: MediaJobsResponse = Object.freeze({
  total: 0,
  completed: 0,
  failed: 0,
  progressPercentage: 0,
});

/**
 * What of a file leaves the house in lists: no storage keys, no hash, no owner. `jobs` comes from JobsService.summaries.
 */
export function toMediaResponse(row: MediaSummaryRow, jobs: MediaJobsResponse = NO_JOBS): MediaResponse {
  return {
    id: row.id,
    title: row.title,
    originalFilename: row.originalFilename,
    fileType: row.fileType as MediaResponse['fileType'],
    mimeType: row.mimeType,
    fileSizeBytes: Number(row.fileSizeBytes),
    status: row.status as MediaResponse['status'],
    width: row.width,
    height: row.height,
    durationSeconds: row.durationSeconds === null ? null : Number(row.durationSeconds),
    tags: row.tags,
    tagCount: row.tags.length,
    categories: row.categories,
    detectedLabels: toLabels(row.detectedLabels),
    detectedText: row.detectedText,
    aiSummary: row.aiSummary,
    sentiment: row.sentiment as MediaResponse['sentiment'],
    contentWarnings: row.contentWarnings,
    customMetadata: toObject(row.customMetadata),
    isPrivate: row.isPrivate,
    uploadedAt: row.uploadedAt.toISOString(),
    deletedAt: row.deletedAt?.toISOString() ?? null,
    contentUrl: `/v1/media/${row.id}/content`,
    thumbnailUrl: row.thumbnailS3Key ? `/v1/media/${row.id}/thumbnail` : null,
    jobs,
  };
}

/** One file with everything that its owner may know of it. */
export function toMediaDetailResponse(
  row: MediaFile,
  jobs: MediaJobsResponse = NO_JOBS,
): MediaDetailResponse {
  return {
    ...toMediaResponse(row, jobs),
    statusReason: row.statusReason,
    processingError: row.processingError,
    processingStartedAt: row.processingStartedAt?.toISOString() ?? null,
    processingCompletedAt: row.processingCompletedAt?.toISOString() ?? null,
    takenAt: row.takenAt?.toISOString() ?? null,
    exif: toObject(row.exif),
    orientation: row.orientation,
    dominantColors: toColors(row.dominantColors),
    detectedFacesCount: row.detectedFacesCount,
    frameRate: row.frameRate === null ? null : Number(row.frameRate),
    hasAudio: row.hasAudio,
    language: row.language,
    fileHash: row.fileHash,
    derivativeBytes: Number(row.derivativeBytes),
    viewCount: row.viewCount,
    lastViewedAt: row.lastViewedAt?.toISOString() ?? null,
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** `detected_labels` as the pipeline wrote it. What does not look like a label is left out rather than passed on. */
export function toLabels(value: unknown): DetectedLabelResponse[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const { name, confidence, kind } = toObject(entry);
    if (typeof name !== 'string') return [];
    return [
      {
        name,
        confidence: typeof confidence === 'number' ? confidence : 0,
        kind: typeof kind === 'string' ? kind : 'object',
      },
    ];
  });
}

function toColors(value: unknown): DominantColorResponse[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const { name, hex, share } = toObject(entry);
    if (typeof hex !== 'string') return [];
    return [
      { name: typeof name === 'string' ? name : hex, hex, share: typeof share === 'number' ? share : 0 },
    ];
  });
}

/** A JSON value as an object; anything else as an empty one. */
export function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
