import { readFile } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { v7 as uuidv7 } from 'uuid';
import { Database, type Transaction } from '../../../infrastructure/database/database.js';
import type { Prisma } from '../../../infrastructure/database/generated/client.js';
import { sqlStateOf } from '../../../infrastructure/database/sql-state.js';
import { errors } from '../../../infrastructure/errors/app-error.js';
import { refuseRestOfBody } from '../../../infrastructure/http/refuse-body.js';
import { LOGGER, OBJECT_STORAGE } from '../../../infrastructure/infrastructure.tokens.js';
import { MediaTools } from '../../../infrastructure/media-tools/media-tools.js';
import type { InspectedMedia } from '../../../infrastructure/media-tools/media-tools.types.js';
import { parseSubtitles } from '../../../infrastructure/media-tools/subtitles.js';
import type { Logger } from '../../../infrastructure/observability/logger.js';
import type { ObjectStorage } from '../../../infrastructure/storage/object-storage.js';
import { originalKey } from '../../../infrastructure/storage/storage-keys.js';
import { AuditService } from '../../audit/audit.service.js';
import { UsageService, type PlanLimits } from '../../billing/usage.service.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { currentUserId } from '../../../infrastructure/context/current-user.js';
import type { MediaDetailResponse } from '../dto/media.response.js';
import { LabelsRepository } from '../labels.repository.js';
import { pipelineFor } from '../media-jobs.js';
import { MediaRepository } from '../media.repository.js';
import { MediaService } from '../media.service.js';
import { probeColumns } from '../pipeline/media-facts.js';
import { holdReservation } from '../sql/reservations.sql.js';
import { cleanFilename, titleFromFilename } from '../text-rules.js';
import { receiveForm, type ReceivedForm, type StagedFile } from './multipart.js';
import { StagingArea } from './staging-area.js';
import { subtitlesKeyOf } from './subtitles-key.js';
import { readUploadFields, type UploadFields } from './upload-fields.js';

export interface UploadResult {
  media: MediaDetailResponse;
  /** False when the user has the same bytes already: nothing was stored, no quota used. */
  created: boolean;
}

/** A file that lies in the staging folder, wherever it came from. */
export interface IncomingFile {
  file: StagedFile;
  subtitles: StagedFile | null;
  fields: UploadFields;
}

/**
 * Takes files in: reserve a slot of the plan, stream to disk, look at the bytes, store, and only then write the rows,
 * all of them in one transaction. Whatever fails, nothing is left: no staged file, no object, no used slot. A process
 * that dies in the middle leaves a reservation that names the object; UploadSweeper finds it.
 */
@Injectable()
export class UploadService {
  constructor(
    private readonly database: Database,
    private readonly mediaTools: MediaTools,
    private readonly usage: UsageService,
    private readonly jobs: JobsService,
    private readonly audit: AuditService,
    private readonly media: MediaRepository,
    private readonly labels: LabelsRepository,
    private readonly files: MediaService,
    private readonly staging: StagingArea,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * `POST /v1/media`: one multipart form with the file in the part `file`.
   * @throws AppError 402 plan used up, 413 too large, 415 or 422 file not accepted, 400 form not valid
   */
  async uploadForm(request: Request, response: Response): Promise<UploadResult> {
    try {
      return await this.withReservation(async (reservationId, limits, staged) => {
        await this.staging.prepare();
        const form = await receiveForm(
          request,
          { stagingDir: this.staging.directory, maxFileSizeBytes: limits.maxFileSizeBytes },
          staged,
        );
        return this.ingest(toIncoming(form), reservationId, limits);
      });
    } catch (error) {
      refuseRestOfBody(request, response);
      throw error;
    }
  }

  /** Runs `take` with a slot of the plan, which is given back unless `take` created a file; staged files are removed. */
  private async withReservation(
    take: (reservationId: string, limits: PlanLimits, staged: string[]) => Promise<UploadResult>,
  ): Promise<UploadResult> {
    const limits = await this.usage.planLimits();
    const { reservationId } = await this.usage.reserveUpload();
    const staged: string[] = [];
    let created = false;
    try {
      const result = await take(reservationId, limits, staged);
      created = result.created;
      return result;
    } finally {
      await this.cleanUp('staged file not removed', () => this.staging.discard(staged));
      if (!created)
        await this.cleanUp('upload slot not given back', () => this.usage.releaseUpload(reservationId));
    }
  }

  /**
   * Accepts or refuses a staged file. The caller holds the reservation and gives it back unless `created` is true.
   * @throws MediaRejectedError by content; AppError 402 when the storage is full; StorageUnavailableError
   */
  async ingest(incoming: IncomingFile, reservationId: string, limits: PlanLimits): Promise<UploadResult> {
    const inspected = await this.mediaTools.inspect(incoming.file.path, {
      maxVideoDurationSeconds: limits.maxVideoDurationSeconds,
    });
    await checkSubtitles(incoming.subtitles, inspected);
    const known = await this.findDuplicate(incoming.file.sha256);
    if (known) return { media: known, created: false };

    const id = uuidv7();
    const key = originalKey(currentUserId(), id, inspected.detected.extension);
    await this.usage.noteStorageKey(reservationId, key);
    try {
      await this.storage.putFile(key, incoming.file.path, inspected.detected.mimeType);
      if (incoming.subtitles)
        await this.storage.putFile(subtitlesKeyOf(key), incoming.subtitles.path, 'text/plain');
      await this.database.run((tx) => this.writeRows(tx, { ...incoming, id, key, inspected, reservationId }));
    } catch (error) {
      return this.afterFailedCommit(error, id, key, incoming.file.sha256);
    }
    this.jobs.wake();
    return { media: await this.files.get(id), created: true };
  }

  private async findDuplicate(sha256: string): Promise<MediaDetailResponse | null> {
    const row = await this.database.run((tx) => this.media.findActiveByHash(tx, currentUserId(), sha256));
    return row ? this.files.get(row.id) : null;
  }

  private async writeRows(
    tx: Transaction,
    input: IncomingFile & { id: string; key: string; inspected: InspectedMedia; reservationId: string },
  ): Promise<void> {
    const userId = currentUserId();
    const { id, key, inspected, file, fields } = input;
    const { detected, probe } = inspected;
    const originalFilename = cleanFilename(file.originalFilename);
    const held = await tx.$queryRaw<unknown[]>(holdReservation(userId, input.reservationId));
    if (held.length === 0)
      throw errors.conflict('upload-expired', 'The upload took too long. Send the file again.');
    await this.usage.commitUpload(tx, input.reservationId, file.sizeBytes);
    await this.media.insert(tx, {
      userId,
      id,
      filename: `${id}.${detected.extension}`,
      originalFilename,
      title: fields.title ?? titleFromFilename(originalFilename),
      fileType: detected.fileType,
      mimeType: detected.mimeType,
      fileSizeBytes: BigInt(file.sizeBytes),
      fileHash: file.sha256,
      storageProvider: this.storage.provider,
      s3Bucket: this.storage.bucket,
      s3Key: key,
      status: 'queued',
      customMetadata: fields.customMetadata as Prisma.InputJsonObject,
      isPrivate: fields.isPrivate,
      ...probeColumns(probe),
    });
    await this.labels.setTags(tx, userId, id, fields.tags);
    await this.labels.setCategories(tx, userId, id, fields.categories);
    await this.jobs.enqueue(tx, pipelineFor(detected.fileType, id));
    await this.audit.record(tx, {
      eventType: 'media.uploaded',
      category: 'upload',
      action: 'create',
      target: { type: 'media_file', id },
      metadata: { mimeType: detected.mimeType, fileSizeBytes: file.sizeBytes },
    });
  }

  /**
   * The object may be stored and the rows are probably not written. "Probably": a connection can break after the
   * server has committed, and then deleting the object would leave a row without its file.
   */
  private async afterFailedCommit(
    error: unknown,
    id: string,
    key: string,
    sha256: string,
  ): Promise<UploadResult> {
    const committed = await this.database
      .run((tx) => this.media.findActive(tx, currentUserId(), id))
      .then(
        (row) => row !== null,
        () => null,
      );
    if (committed === true) {
      this.jobs.wake();
      return { media: await this.files.get(id), created: true };
    }
    // Unknown: the object stays; the reservation names it, and UploadSweeper decides later.
    if (committed === null) throw error;
    await this.cleanUp('object of a failed upload not removed', async () => {
      await this.storage.delete(key);
      await this.storage.delete(subtitlesKeyOf(key));
    });
    // Two uploads of the same bytes at once: the unique index let one through, and this is the other (C05).
    const winner = sqlStateOf(error) === '23505' ? await this.findDuplicate(sha256) : null;
    if (winner) return { media: winner, created: false };
    throw error;
  }

  /** Cleaning up must not hide why it was needed. What is not cleaned here, the sweep finds. */
  private async cleanUp(message: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ err: { message: (error as Error).message } }, message);
    }
  }
}

function toIncoming(form: ReceivedForm): IncomingFile {
  return { file: form.file, subtitles: form.subtitles, fields: readUploadFields(form.fields) };
}

/** @throws AppError 400 when there is a subtitle file for a picture, or one that holds no subtitles */
async function checkSubtitles(subtitles: StagedFile | null, inspected: InspectedMedia): Promise<void> {
  if (!subtitles) return;
  const fault = (detail: string): Error =>
    errors.validation([{ pointer: '/subtitles', detail: `subtitles ${detail}` }]);
  if (inspected.detected.fileType !== 'video') throw fault('belong to a video, and the file is an image');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(subtitles.path));
  } catch {
    throw fault('must be UTF-8 text');
  }
  if (parseSubtitles(text).length === 0) throw fault('must be a .srt or .vtt file with at least one line');
}
