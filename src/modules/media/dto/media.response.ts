import { ApiProperty } from '@nestjs/swagger';

export const MEDIA_STATUSES = [
  'uploaded',
  'queued',
  'processing',
  'completed',
  'failed',
  'archived',
] as const;
export type MediaStatus = (typeof MEDIA_STATUSES)[number];
export const FILE_TYPES = ['image', 'video'] as const;
export const SENTIMENTS = ['POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED'] as const;
export type Sentiment = (typeof SENTIMENTS)[number];

export class DetectedLabelResponse {
  @ApiProperty({ example: 'beach' })
  name!: string;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.92 })
  confidence!: number;

  @ApiProperty({ description: 'What the label says something about', example: 'scene' })
  kind!: string;
}

export class DominantColorResponse {
  @ApiProperty({ example: 'blue' })
  name!: string;

  @ApiProperty({ example: '#2a6fb0' })
  hex!: string;

  @ApiProperty({ description: 'Share of the picture', minimum: 0, maximum: 1 })
  share!: number;
}

export class MediaJobsResponse {
  @ApiProperty({ type: 'integer' })
  total!: number;

  @ApiProperty({ type: 'integer' })
  completed!: number;

  @ApiProperty({ type: 'integer' })
  failed!: number;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: 100 })
  progressPercentage!: number;
}

/** A file as lists and search results show it. */
export class MediaResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty()
  title!: string;

  @ApiProperty({ description: "The file's name on the device it came from; data only" })
  originalFilename!: string;

  @ApiProperty({ enum: FILE_TYPES })
  fileType!: 'image' | 'video';

  @ApiProperty({ description: 'From the content, never from the name', example: 'image/jpeg' })
  mimeType!: string;

  @ApiProperty({ type: 'integer', format: 'int64' })
  fileSizeBytes!: number;

  @ApiProperty({ enum: MEDIA_STATUSES })
  status!: MediaStatus;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Pixels of the upright picture' })
  width!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Pixels of the upright picture' })
  height!: number | null;

  @ApiProperty({ type: 'number', nullable: true, description: 'Videos only; three decimals' })
  durationSeconds!: number | null;

  @ApiProperty({ type: [String] })
  tags!: string[];

  @ApiProperty({ type: 'integer' })
  tagCount!: number;

  @ApiProperty({ type: [String] })
  categories!: string[];

  @ApiProperty({ type: [DetectedLabelResponse] })
  detectedLabels!: DetectedLabelResponse[];

  @ApiProperty({ type: [String], description: 'Lines of text read in the picture' })
  detectedText!: string[];

  @ApiProperty({ type: String, nullable: true })
  aiSummary!: string | null;

  @ApiProperty({ enum: SENTIMENTS, nullable: true })
  sentiment!: Sentiment | null;

  @ApiProperty({ type: [String] })
  contentWarnings!: string[];

  @ApiProperty({ type: 'object', additionalProperties: true, description: "The owner's own JSON object" })
  customMetadata!: Record<string, unknown>;

  @ApiProperty({ description: 'Kept out of share links, default search and analytics exports' })
  isPrivate!: boolean;

  @ApiProperty({ format: 'date-time' })
  uploadedAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'In the trash since' })
  deletedAt!: string | null;

  @ApiProperty({ description: 'Path of the original file below this server', example: '/v1/media/…/content' })
  contentUrl!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Path of the WebP thumbnail; null until there is one',
  })
  thumbnailUrl!: string | null;

  @ApiProperty({ type: MediaJobsResponse })
  jobs!: MediaJobsResponse;
}

/** A file with everything that is known of it. */
export class MediaDetailResponse extends MediaResponse {
  @ApiProperty({ type: String, nullable: true, description: 'Why the status is what it is, e.g. `partial`' })
  statusReason!: string | null;

  @ApiProperty({ type: String, nullable: true })
  processingError!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  processingStartedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  processingCompletedAt!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'From EXIF or the container',
  })
  takenAt!: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'Selected EXIF fields' })
  exif!: Record<string, unknown>;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    minimum: 1,
    maximum: 8,
    description: 'EXIF orientation as stored',
  })
  orientation!: number | null;

  @ApiProperty({ type: [DominantColorResponse] })
  dominantColors!: DominantColorResponse[];

  @ApiProperty({ type: 'integer' })
  detectedFacesCount!: number;

  @ApiProperty({ type: 'number', nullable: true, description: 'Frames per second' })
  frameRate!: number | null;

  @ApiProperty()
  hasAudio!: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'ISO 639 code of what is said or written' })
  language!: string | null;

  @ApiProperty({ description: 'SHA-256 of the bytes, hexadecimal' })
  fileHash!: string;

  @ApiProperty({ type: 'integer', format: 'int64', description: 'Thumbnail and key frames' })
  derivativeBytes!: number;

  @ApiProperty({ type: 'integer' })
  viewCount!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastViewedAt!: string | null;

  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

export class MediaListResponse {
  @ApiProperty({ type: [MediaResponse] })
  items!: MediaResponse[];

  @ApiProperty({ type: String, nullable: true, description: 'Pass it as `cursor` for the next page' })
  nextCursor!: string | null;
}
