import { prepared } from '../../../infrastructure/database/prepared.js';
import { Prisma, type MediaFile } from '../../../infrastructure/database/generated/client.js';

/** What lists and search results show of a file: without its transcript, EXIF and storage keys. */
const COLUMNS = {
  id: 'id',
  title: 'title',
  originalFilename: 'original_filename',
  fileType: 'file_type',
  mimeType: 'mime_type',
  fileSizeBytes: 'file_size_bytes',
  status: 'status',
  width: 'width',
  height: 'height',
  durationSeconds: 'duration_seconds',
  tags: 'tags',
  categories: 'categories',
  detectedLabels: 'detected_labels',
  detectedText: 'detected_text',
  aiSummary: 'ai_summary',
  sentiment: 'sentiment',
  contentWarnings: 'content_warnings',
  customMetadata: 'custom_metadata',
  isPrivate: 'is_private',
  uploadedAt: 'uploaded_at',
  deletedAt: 'deleted_at',
  thumbnailS3Key: 'thumbnail_s3_key',
} as const satisfies Partial<Record<keyof MediaFile, string>>;

export type MediaSummaryRow = Pick<MediaFile, keyof typeof COLUMNS>;

// eslint-disable-next-line no-restricted-syntax -- the names of COLUMNS
const selected = Prisma.raw(
  Object.entries(COLUMNS)
    .map(([property, column]) => `m.${column} AS "${property}"`)
    .join(', '),
);

/** The user's files with these ids, in no order; with `isActive` none that are in the trash. */
export const mediaSummaries = (input: { userId: string; ids: string[]; isActive: boolean }): Prisma.Sql =>
  prepared(Prisma.sql`SELECT ${selected} FROM media_files m
WHERE m.user_id = ${input.userId}::uuid AND m.id = ANY (${input.ids}::uuid[])${
    input.isActive ? Prisma.sql` AND m.deleted_at IS NULL` : Prisma.empty
  }`);
