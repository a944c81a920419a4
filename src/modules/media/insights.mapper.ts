import type { Clip, Keyframe, TranscriptSegment } from '../../infrastructure/database/generated/client.js';
import type {
  AnalysisResponse,
  ClipResponse,
  KeyframeResponse,
  TranscriptSegmentResponse,
} from './dto/insights.response.js';
import { toLabels, toObject } from './media.mapper.js';
import type { AnalysisRow } from './media.repository.js';

/** An analysis without the provider's raw answer. */
export function toAnalysisResponse(row: AnalysisRow): AnalysisResponse {
  return {
    id: row.id,
    kind: row.kind,
    version: row.version,
    category: row.category,
    summary: row.summary,
    tags: row.tags,
    labels: toLabels(row.labels),
    detectedText: row.detectedText,
    providerUsed: row.providerUsed,
    modelUsed: row.modelUsed,
    createdAt: row.createdAt.toISOString(),
  };
}

/** A key frame without its storage key. */
export function toKeyframeResponse(row: Keyframe): KeyframeResponse {
  return {
    id: row.id,
    timestampSeconds: Number(row.timestampSeconds),
    width: row.width,
    height: row.height,
    description: row.description,
    labels: toLabels(row.labels),
    detectedText: row.detectedText,
    imageUrl: `/v1/media/${row.mediaFileId}/keyframes/${row.id}/image`,
  };
}

export function toClipResponse(row: Clip): ClipResponse {
  return {
    id: row.id,
    startSeconds: Number(row.startTimeSeconds),
    endSeconds: Number(row.endTimeSeconds),
    score: Number(row.score),
    rank: row.rank,
    features: toObject(row.features),
    description: row.description,
    status: row.status,
  };
}

export function toTranscriptSegmentResponse(row: TranscriptSegment): TranscriptSegmentResponse {
  return {
    startSeconds: Number(row.startTimeSeconds),
    endSeconds: Number(row.endTimeSeconds),
    text: row.text,
    source: row.source,
  };
}
