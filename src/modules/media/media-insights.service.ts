import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { MediaFile } from '../../infrastructure/database/generated/client.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { toWebVtt } from '../../infrastructure/media-tools/subtitles.js';
import { currentUserId } from '../../infrastructure/context/current-user.js';
import type {
  AnalysisListResponse,
  ClipListResponse,
  KeyframeListResponse,
  TranscriptResponse,
} from './dto/insights.response.js';
import {
  toAnalysisResponse,
  toClipResponse,
  toKeyframeResponse,
  toTranscriptSegmentResponse,
} from './insights.mapper.js';
import { MediaRepository } from './media.repository.js';

/** What the analysis found in one file. Files in the trash, and other people's, are not found. */
@Injectable()
export class MediaInsightsService {
  constructor(
    private readonly database: Database,
    private readonly media: MediaRepository,
  ) {}

  /** All versions, newest first. @throws AppError 404 */
  async analyses(id: string): Promise<AnalysisListResponse> {
    return this.ofFile(id, async (tx, { userId }) => ({
      items: (await this.media.analyses(tx, userId, id)).map(toAnalysisResponse),
    }));
  }

  /** In the order of time; empty for an image. @throws AppError 404 */
  async keyframes(id: string): Promise<KeyframeListResponse> {
    return this.ofFile(id, async (tx, { userId }) => ({
      items: (await this.media.keyframes(tx, userId, id)).map(toKeyframeResponse),
    }));
  }

  /** The best clips, best first. @throws AppError 404 */
  async clips(id: string, options: { minScore: number; limit: number }): Promise<ClipListResponse> {
    return this.ofFile(id, async (tx, { userId }) => ({
      items: (await this.media.topClips(tx, userId, id, options)).map(toClipResponse),
    }));
  }

  /** @throws AppError 404 */
  async transcript(id: string): Promise<TranscriptResponse> {
    return this.ofFile(id, async (tx, { userId, language }) => ({
      mediaFileId: id,
      language,
      segments: (await this.media.transcript(tx, userId, id)).map(toTranscriptSegmentResponse),
    }));
  }

  /** WebVTT, for the `track` element of a player; without cues when nothing is said. @throws AppError 404 */
  async transcriptAsWebVtt(id: string): Promise<string> {
    return toWebVtt((await this.transcript(id)).segments);
  }

  private async ofFile<T>(id: string, read: (tx: Transaction, file: MediaFile) => Promise<T>): Promise<T> {
    return this.database.run(async (tx) => {
      const file = await this.media.findActive(tx, currentUserId(), id);
      if (!file) throw errors.notFound('media file');
      return read(tx, file);
    });
  }
}
