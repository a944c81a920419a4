import { ApiProperty } from '@nestjs/swagger';
import { DetectedLabelResponse } from './media.response.js';

/** One result of an analysis; each run of a kind is a new version, the highest is in force (003-04). */
export class AnalysisResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ enum: ['image', 'video', 'transcript', 'text'] })
  kind!: string;

  @ApiProperty({ type: 'integer', minimum: 1 })
  version!: number;

  @ApiProperty({ type: String, nullable: true })
  category!: string | null;

  @ApiProperty({ type: String, nullable: true })
  summary!: string | null;

  @ApiProperty({ type: [String] })
  tags!: string[];

  @ApiProperty({ type: [DetectedLabelResponse] })
  labels!: DetectedLabelResponse[];

  @ApiProperty({ type: [String] })
  detectedText!: string[];

  @ApiProperty({ type: String, nullable: true })
  providerUsed!: string | null;

  @ApiProperty({ type: String, nullable: true })
  modelUsed!: string | null;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export class AnalysisListResponse {
  @ApiProperty({ type: [AnalysisResponse] })
  items!: AnalysisResponse[];
}

export class KeyframeResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: 'number', description: 'Seconds from the start, three decimals' })
  timestampSeconds!: number;

  @ApiProperty({ type: 'integer' })
  width!: number;

  @ApiProperty({ type: 'integer' })
  height!: number;

  @ApiProperty({ type: String, nullable: true })
  description!: string | null;

  @ApiProperty({ type: [DetectedLabelResponse] })
  labels!: DetectedLabelResponse[];

  @ApiProperty({ type: [String] })
  detectedText!: string[];

  @ApiProperty({ description: 'Path of the picture below this server' })
  imageUrl!: string;
}

export class KeyframeListResponse {
  @ApiProperty({ type: [KeyframeResponse] })
  items!: KeyframeResponse[];
}

export class ClipResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: 'number' })
  startSeconds!: number;

  @ApiProperty({ type: 'number' })
  endSeconds!: number;

  @ApiProperty({ type: 'number', minimum: 0, maximum: 1 })
  score!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: '1 = best of the video' })
  rank!: number;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'What the score was made of' })
  features!: Record<string, unknown>;

  @ApiProperty({ type: String, nullable: true })
  description!: string | null;

  @ApiProperty({ enum: ['pending', 'analyzed', 'scored', 'published', 'rejected'] })
  status!: string;
}

export class ClipListResponse {
  @ApiProperty({ type: [ClipResponse] })
  items!: ClipResponse[];
}

export class TranscriptSegmentResponse {
  @ApiProperty({ type: 'number' })
  startSeconds!: number;

  @ApiProperty({ type: 'number' })
  endSeconds!: number;

  @ApiProperty()
  text!: string;

  @ApiProperty({ enum: ['subtitle-track', 'sidecar', 'speech'] })
  source!: string;
}

export class TranscriptResponse {
  @ApiProperty({ format: 'uuid' })
  mediaFileId!: string;

  @ApiProperty({ type: String, nullable: true, description: 'ISO 639 code' })
  language!: string | null;

  @ApiProperty({ type: [TranscriptSegmentResponse] })
  segments!: TranscriptSegmentResponse[];
}

export class ViewResponse {
  @ApiProperty({ type: 'integer' })
  viewCount!: number;

  @ApiProperty({ format: 'date-time' })
  lastViewedAt!: string;
}
