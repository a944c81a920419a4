import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { MediaFile, Prisma } from '../../infrastructure/database/generated/client.js';
import { sqlStateOf } from '../../infrastructure/database/sql-state.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import type { FileType } from '../../infrastructure/media-tools/media-tools.types.js';
import { AuditService } from '../audit/audit.service.js';
import { UsageService } from '../billing/usage.service.js';
import { JobsService } from '../jobs/jobs.service.js';
import { currentUserId } from '../../infrastructure/context/current-user.js';
import type { ViewResponse } from './dto/insights.response.js';
import type { MediaListQuery, UpdateMediaRequest } from './dto/media.requests.js';
import type { MediaDetailResponse, MediaListResponse } from './dto/media.response.js';
import { ReindexService } from './embedding-models/reindex.service.js';
import { listFilter } from './filter/media-list-filter.js';
import { LabelsRepository } from './labels.repository.js';
import { pipelineFor } from './media-jobs.js';
import { toMediaDetailResponse, toMediaResponse } from './media.mapper.js';
import { MediaPurger } from './media-purger.js';
import { MediaRepository } from './media.repository.js';
import type { MediaListPosition } from './sql/media-list.sql.js';

/** The rules of files that have been taken in: reading, changing, trash, analysis again. */
@Injectable()
export class MediaService {
  constructor(
    private readonly database: Database,
    private readonly media: MediaRepository,
    private readonly labels: LabelsRepository,
    private readonly jobs: JobsService,
    private readonly usage: UsageService,
    private readonly audit: AuditService,
    private readonly purger: MediaPurger,
    private readonly cursors: CursorCodec,
    private readonly reindex: ReindexService,
  ) {}

  /** One page of the user's files, or of their trash. @throws AppError 400 `invalid-cursor` */
  async list(query: MediaListQuery): Promise<MediaListResponse> {
    const userId = currentUserId();
    const { limit, cursor, sort, order } = query;
    const filter = listFilter(query);
    const isTrash = query.deleted ?? false;
    // A cursor continues one list: the same filters and the same order.
    const kind = `media:${fingerprint([filter, isTrash, sort, order])}`;
    const after = cursor === undefined ? null : this.cursors.decode<MediaListPosition>(kind, userId, cursor);
    return this.database.run(async (tx) => {
      const found = await this.media.list(tx, { userId, filter, isTrash, sort, order, after, limit });
      const page = found.slice(0, limit);
      const jobs = await this.jobs.summaries(
        tx,
        page.map(({ row }) => row.id),
      );
      const last = found.length > limit ? page.at(-1) : undefined;
      return {
        items: page.map(({ row }) => toMediaResponse(row, jobs.get(row.id))),
        nextCursor: last ? this.cursors.encode(kind, userId, { key: last.key, id: last.row.id }) : null,
      };
    });
  }

  /** @throws AppError 404 for a file that does not exist, is somebody else's or lies in the trash */
  async get(id: string): Promise<MediaDetailResponse> {
    return this.database.run(async (tx) => this.detail(tx, await this.mustFind(tx, id)));
  }

  /** Changes what the owner may change; what is absent stays. @throws AppError 404 */
  async update(id: string, request: UpdateMediaRequest): Promise<MediaDetailResponse> {
    const userId = currentUserId();
    const detail = await this.database.run(async (tx) => {
      const before = await this.mustLock(tx, id);
      await this.media.update(tx, userId, id, {
        title: request.title,
        isPrivate: request.isPrivate,
        customMetadata: request.customMetadata as Prisma.InputJsonObject | undefined,
      });
      if (request.tags) await this.labels.setTags(tx, userId, id, request.tags);
      if (request.categories) await this.labels.setCategories(tx, userId, id, request.categories);
      const after = await this.mustFind(tx, id);
      const changes = changesBetween(before, after);
      if (changes) {
        await this.audit.record(tx, {
          eventType: 'media.updated',
          category: 'upload',
          action: 'update',
          target: { type: 'media_file', id },
          ...changes,
        });
      }
      if (saysSomethingElse(before, after) && after.status === 'completed') await this.embedAgain(tx, id);
      return this.detail(tx, after);
    });
    this.jobs.wake();
    return detail;
  }

  /** The vectors are made of the words as well. A file whose analysis is under way gets there by itself. */
  private async embedAgain(tx: Transaction, id: string): Promise<void> {
    if ((await this.media.countOpenJobs(tx, currentUserId(), id)) > 0) return;
    await this.jobs.enqueue(tx, [{ id: uuidv7(), jobType: 'embedding_generation', mediaFileId: id }]);
  }

  /** Moves a file to the trash and stops its jobs. @throws AppError 404 */
  async moveToTrash(id: string): Promise<void> {
    await this.database.run(async (tx) => {
      await this.mustLock(tx, id);
      await this.jobs.cancelForMedia(tx, id);
      await this.media.update(tx, currentUserId(), id, { deletedAt: new Date() });
      await this.audit.record(tx, {
        eventType: 'media.deleted',
        category: 'upload',
        action: 'delete',
        target: { type: 'media_file', id },
      });
    });
  }

  /**
   * Brings a file back from the trash. One whose analysis had not ended is analysed again.
   * @throws AppError 404 not in the trash; 409 `duplicate-exists` when the same bytes were uploaded again;
   *   402 when the storage does not hold it
   */
  async restore(id: string): Promise<MediaDetailResponse> {
    const userId = currentUserId();
    try {
      const detail = await this.database.run(async (tx) => {
        await this.media.lock(tx, userId, id);
        const row = await this.media.findAny(tx, userId, id);
        if (!row || !(await this.media.isRestorable(tx, userId, id)))
          throw errors.notFound('file in the trash');
        if (await this.media.findActiveByHash(tx, userId, row.fileHash)) throw duplicateExists();
        await this.usage.assertStorage(tx, Number(row.fileSizeBytes + row.derivativeBytes));
        const analysed = row.status === 'completed';
        await this.media.update(tx, userId, id, { deletedAt: null });
        // Another embedding model may have been built while the file lay there.
        if (analysed) await this.reindex.enqueueMissing(tx, id);
        else await this.jobs.enqueue(tx, pipelineFor(row.fileType as FileType, id));
        await this.audit.record(tx, {
          eventType: 'media.restored',
          category: 'upload',
          action: 'restore',
          target: { type: 'media_file', id },
        });
        return this.detail(tx, await this.mustFind(tx, id));
      });
      this.jobs.wake();
      return detail;
    } catch (error) {
      // The same bytes arrived between the look and the update.
      if (sqlStateOf(error) === '23505') throw duplicateExists();
      throw error;
    }
  }

  /**
   * Removes a file of the trash for good: its time in the trash is ended, which nothing can undo, then objects and
   * rows go. While a worker still holds one of its jobs, the maintenance removes it a little later.
   * @throws AppError 404; 409 `not-in-trash` for a file that was not deleted first
   */
  async deletePermanently(id: string): Promise<void> {
    const userId = currentUserId();
    const busy = await this.database.run(async (tx) => {
      await this.media.lock(tx, userId, id);
      const row = await this.media.findAny(tx, userId, id);
      if (row && row.deletedAt === null) {
        throw errors.conflict(
          'not-in-trash',
          'Only files in the trash are removed for good. Delete the file first.',
        );
      }
      if (!row || !(await this.media.isRestorable(tx, userId, id)))
        throw errors.notFound('file in the trash');
      await this.media.update(tx, userId, id, { deletedAt: new Date(0) });
      await this.audit.record(tx, {
        eventType: 'media.purged',
        category: 'upload',
        action: 'purge',
        target: { type: 'media_file', id },
        oldValues: { title: row.title, fileSizeBytes: Number(row.fileSizeBytes) },
        riskLevel: 'medium',
      });
      return (await this.media.countOpenJobs(tx, userId, id)) > 0;
    });
    if (!busy) await this.purger.purge(userId, id);
  }

  /** Analyses a file anew. @throws AppError 404; 409 `jobs-running` while the last analysis has not ended */
  async reanalyze(id: string): Promise<MediaDetailResponse> {
    const userId = currentUserId();
    const detail = await this.database.run(async (tx) => {
      const row = await this.mustLock(tx, id);
      if ((await this.media.countOpenJobs(tx, userId, id)) > 0) {
        throw errors.conflict(
          'jobs-running',
          'The file is being analysed. Wait until that has ended, or cancel it.',
        );
      }
      await this.jobs.enqueue(tx, pipelineFor(row.fileType as FileType, id));
      await this.audit.record(tx, {
        eventType: 'media.reanalyze',
        category: 'upload',
        action: 'reanalyze',
        target: { type: 'media_file', id },
      });
      return this.detail(tx, await this.mustFind(tx, id));
    });
    this.jobs.wake();
    return detail;
  }

  /** Counts one look at a file. @throws AppError 404 */
  async countView(id: string): Promise<ViewResponse> {
    const view = await this.database.run((tx) => this.media.countView(tx, currentUserId(), id));
    if (!view) throw errors.notFound('media file');
    return { viewCount: view.viewCount, lastViewedAt: view.lastViewedAt.toISOString() };
  }

  private async mustFind(tx: Transaction, id: string): Promise<MediaFile> {
    const row = await this.media.findActive(tx, currentUserId(), id);
    if (!row) throw errors.notFound('media file');
    return row;
  }

  private async mustLock(tx: Transaction, id: string): Promise<MediaFile> {
    await this.media.lock(tx, currentUserId(), id);
    return this.mustFind(tx, id);
  }

  private async detail(tx: Transaction, row: MediaFile): Promise<MediaDetailResponse> {
    const jobs = await this.jobs.summaries(tx, [row.id]);
    return toMediaDetailResponse(row, jobs.get(row.id));
  }
}

function saysSomethingElse(before: MediaFile, after: MediaFile): boolean {
  const words = ({ title, tags, categories }: MediaFile): string => JSON.stringify([title, tags, categories]);
  return words(before) !== words(after);
}

function duplicateExists(): Error {
  return errors.conflict(
    'duplicate-exists',
    'The same file was uploaded again in the meantime; use that one.',
  );
}

/** Short and the same for the same value: names a list in its cursors. */
function fingerprint(value: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
}

/** The audited fields that differ, or null. Custom metadata is the owner's own content: only that it changed is kept. */
function changesBetween(
  before: MediaFile,
  after: MediaFile,
): {
  oldValues: Record<string, unknown>;
  newValues: Record<string, unknown>;
  metadata: Record<string, unknown>;
} | null {
  const fields = (['title', 'isPrivate', 'tags', 'categories'] as const).filter(
    (field) => !isDeepStrictEqual(before[field], after[field]),
  );
  const customMetadataChanged = !isDeepStrictEqual(before.customMetadata, after.customMetadata);
  if (fields.length === 0 && !customMetadataChanged) return null;
  return {
    oldValues: Object.fromEntries(fields.map((field) => [field, before[field]])),
    newValues: Object.fromEntries(fields.map((field) => [field, after[field]])),
    metadata: { customMetadataChanged },
  };
}
