import { Injectable } from '@nestjs/common';
import { currentUserId } from '../../infrastructure/context/current-user.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import { JobsService } from '../jobs/jobs.service.js';
import type { MediaResponse } from './dto/media.response.js';
import { NO_JOBS, toMediaResponse } from './media.mapper.js';
import { MediaRepository } from './media.repository.js';

/** Gives other modules (search) files in the shape of the API. */
@Injectable()
export class MediaSummaryReader {
  constructor(
    private readonly media: MediaRepository,
    private readonly jobs: JobsService,
  ) {}

  /**
   * The current user's files with these ids, by id. Unknown ids, other users' files and files in the trash are simply
   * absent. The caller keeps its own order.
   */
  async readMany(tx: Transaction, ids: string[]): Promise<Map<string, MediaResponse>> {
    if (ids.length === 0) return new Map();
    // Neither needs the other's answer: together they cost one round trip.
    const [rows, jobs] = await Promise.all([
      this.media.summariesOfActive(tx, currentUserId(), ids),
      this.jobs.summaries(tx, ids),
    ]);
    return new Map(rows.map((row) => [row.id, toMediaResponse(row, jobs.get(row.id) ?? NO_JOBS)]));
  }
}
