import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import type {
  Analysis,
  Clip,
  Keyframe,
  MediaFile,
  Prisma,
  TranscriptSegment,
} from '../../infrastructure/database/generated/client.js';
import { TRASH_DAYS } from './media.constants.js';
import { mediaListPage, type MediaListInput, type MediaListRow } from './sql/media-list.sql.js';
import { mediaSummaries, type MediaSummaryRow } from './sql/media-summaries.sql.js';
import { BACKGROUND_JOB_TYPE } from '../jobs/jobs.types.js';
import { countView, isRestorable, lockMediaRow, purgeableFiles } from './sql/media-row.sql.js';

/** An analysis as it is shown; the search vector cannot be read through Prisma and the raw response stays inside. */
export type AnalysisRow = Omit<Analysis, 'rawResponse'>;

/** States of a job that has not ended. */
const OPEN_JOB_STATES = ['blocked', 'pending', 'retrying', 'processing'];
/** Far above what a file gets; bounds the answer. */
const MAX_ANALYSES = 200;

/** Queries over media_files and what hangs on one file. Every one names its user beside row-level security. */
@Injectable()
export class MediaRepository {
  /** A file that is not in the trash, or null. */
  async findActive(tx: Transaction, userId: string, id: string): Promise<MediaFile | null> {
    return tx.mediaFile.findFirst({ where: { userId, id, deletedAt: null } });
  }

  /** A file wherever it is, or null. */
  async findAny(tx: Transaction, userId: string, id: string): Promise<MediaFile | null> {
    return tx.mediaFile.findFirst({ where: { userId, id } });
  }

  /** The files among `ids` that are not in the trash, in no particular order. */
  summariesOfActive(tx: Transaction, userId: string, ids: string[]): Promise<MediaSummaryRow[]> {
    return tx.$queryRaw<MediaSummaryRow[]>(mediaSummaries({ userId, ids, isActive: true }));
  }

  /** The file with these bytes (hexadecimal SHA-256) that is not in the trash, or null. */
  async findActiveByHash(tx: Transaction, userId: string, fileHash: string): Promise<MediaFile | null> {
    return tx.mediaFile.findFirst({ where: { userId, fileHash, deletedAt: null } });
  }

  /** One page: the rows in order, and the keyset position of each. One row more than `limit` when there is a next page. */
  async list(
    tx: Transaction,
    input: MediaListInput,
  ): Promise<{ row: MediaSummaryRow; key: string | null }[]> {
    const page = await tx.$queryRaw<MediaListRow[]>(mediaListPage(input));
    const rows = await tx.$queryRaw<MediaSummaryRow[]>(
      mediaSummaries({ userId: input.userId, ids: page.map(({ id }) => id), isActive: false }),
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return page.flatMap(({ id, key }) => {
      const row = byId.get(id);
      return row ? [{ row, key }] : [];
    });
  }

  async insert(tx: Transaction, data: Prisma.MediaFileUncheckedCreateInput): Promise<void> {
    await tx.mediaFile.create({ data, select: { id: true } });
  }

  async update(
    tx: Transaction,
    userId: string,
    id: string,
    data: Prisma.MediaFileUncheckedUpdateInput,
  ): Promise<void> {
    await tx.mediaFile.updateMany({ where: { userId, id }, data });
  }

  /** Removes the row and, by foreign keys, everything that hangs on it. @returns false when there was none */
  async delete(tx: Transaction, userId: string, id: string): Promise<boolean> {
    return (await tx.mediaFile.deleteMany({ where: { userId, id } })).count > 0;
  }

  /** Locks the row to the end of the transaction. @returns false when there is none */
  async lock(tx: Transaction, userId: string, id: string): Promise<boolean> {
    return (await tx.$queryRaw<unknown[]>(lockMediaRow(userId, id))).length > 0;
  }

  /** True when the file lies in the trash and its time there is not over. */
  async isRestorable(tx: Transaction, userId: string, id: string): Promise<boolean> {
    const [row] = await tx.$queryRaw<{ restorable: boolean }[]>(isRestorable(userId, id, TRASH_DAYS));
    return row?.restorable ?? false;
  }

  /** Files of all users whose time in the trash is over. For the system. */
  async purgeable(tx: Transaction, limit: number): Promise<{ userId: string; id: string }[]> {
    return tx.$queryRaw<{ userId: string; id: string }[]>(purgeableFiles(TRASH_DAYS, limit));
  }

  /** How many jobs of the file have not ended; background work does not count. */
  async countOpenJobs(tx: Transaction, userId: string, mediaFileId: string): Promise<number> {
    return tx.processingJob.count({
      where: {
        userId,
        mediaFileId,
        status: { in: OPEN_JOB_STATES },
        jobType: { not: BACKGROUND_JOB_TYPE },
      },
    });
  }

  /** Counts one look. Null when there is no such file. */
  async countView(
    tx: Transaction,
    userId: string,
    id: string,
  ): Promise<{ viewCount: number; lastViewedAt: Date } | null> {
    const rows = await tx.$queryRaw<{ viewCount: number; lastViewedAt: Date }[]>(countView(userId, id));
    return rows[0] ?? null;
  }

  /** Analyses of a file, newest version of each kind first. */
  async analyses(tx: Transaction, userId: string, mediaFileId: string): Promise<AnalysisRow[]> {
    return tx.analysis.findMany({
      where: { userId, mediaFileId },
      omit: { rawResponse: true },
      orderBy: [{ version: 'desc' }, { kind: 'asc' }],
      take: MAX_ANALYSES,
    });
  }

  async keyframes(tx: Transaction, userId: string, mediaFileId: string): Promise<Keyframe[]> {
    return tx.keyframe.findMany({ where: { userId, mediaFileId }, orderBy: { timestampSeconds: 'asc' } });
  }

  async keyframe(tx: Transaction, userId: string, mediaFileId: string, id: string): Promise<Keyframe | null> {
    return tx.keyframe.findFirst({
      where: { userId, mediaFileId, id, mediaFile: { deletedAt: null } },
    });
  }

  /** The best clips of a video, best first (002-23, getTopClips). */
  async topClips(
    tx: Transaction,
    userId: string,
    mediaFileId: string,
    options: { minScore: number; limit: number },
  ): Promise<Clip[]> {
    return tx.clip.findMany({
      where: { userId, mediaFileId, score: { gte: options.minScore } },
      orderBy: [{ score: 'desc' }, { rank: 'asc' }],
      take: options.limit,
    });
  }

  async transcript(tx: Transaction, userId: string, mediaFileId: string): Promise<TranscriptSegment[]> {
    return tx.transcriptSegment.findMany({
      where: { userId, mediaFileId },
      orderBy: [{ startTimeSeconds: 'asc' }, { endTimeSeconds: 'asc' }],
    });
  }
}
