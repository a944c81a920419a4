import { Inject, Injectable } from '@nestjs/common';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { Transaction } from '../../infrastructure/database/database.js';
import type { MediaResponse } from '../media/dto/media.response.js';
import { MediaSummaryReader } from '../media/media-summary.reader.js';
import type { MomentResponse } from './dto/search.response.js';
import type { NearDuplicateResponse, SimilarHitResponse } from './dto/similar.response.js';
import type { RankedMedia } from './ranker.js';
import { relevanceFloor } from './relevance-floor.js';
import { SimilarRepository } from './similar.repository.js';
import type { NearDuplicateRow } from './sql/similar.sql.js';
import type { HalfvecParameter } from './sql/vector-leg.sql.js';

/** What files are compared with in meaning. */
export interface TargetVector {
  halfvec: HalfvecParameter;
  model: EmbeddingModel;
  modelId: number;
}

export interface SimilarPage {
  nearDuplicates: NearDuplicateResponse[];
  items: SimilarHitResponse[];
}

/** Reads what is shown of near duplicates and of similar files. */
@Injectable()
export class SimilarPageReader {
  constructor(
    @Inject(SimilarRepository) private readonly repository: SimilarRepository,
    @Inject(MediaSummaryReader) private readonly media: MediaSummaryReader,
  ) {}

  /**
   * What is shown of near duplicates and, apart from them, of files that are merely similar.
   * @param input.ranked tells how similar the near duplicates are in meaning
   */
  async read(
    tx: Transaction,
    userId: string,
    input: {
      duplicates: NearDuplicateRow[];
      items: RankedMedia[];
      ranked: RankedMedia[];
      target: TargetVector | null;
    },
  ): Promise<SimilarPage> {
    const similarities = new Map(input.ranked.map((hit) => [hit.id, hit.vectorSimilarity]));
    const files = await this.media.readMany(tx, [
      ...input.duplicates.map((row) => row.mediaFileId),
      ...input.items.map((hit) => hit.id),
    ]);
    return {
      nearDuplicates: input.duplicates.flatMap(({ mediaFileId, distance }) => {
        const media = files.get(mediaFileId);
        if (media === undefined) return [];
        return [{ media, hashDistance: distance, score: roundOrNull(similarities.get(mediaFileId) ?? null) }];
      }),
      items: await this.hits(tx, userId, input.items, input.target, files),
    };
  }

  /** With the moment that is nearest; in the order given, without what went to the trash meanwhile. */
  private async hits(
    tx: Transaction,
    userId: string,
    ranked: RankedMedia[],
    target: TargetVector | null,
    files: Map<string, MediaResponse>,
  ): Promise<SimilarHitResponse[]> {
    const ids = ranked.map((hit) => hit.id);
    const videoIds = ids.filter((id) => files.get(id)?.fileType === 'video');
    const moments =
      target === null || videoIds.length === 0
        ? []
        : await this.repository.nearestMoments(tx, {
            userId,
            modelId: target.modelId,
            mediaFileIds: videoIds,
            vector: target.halfvec,
            floor: relevanceFloor(target.model),
          });
    const momentOf = new Map(
      moments.map(({ mediaFileId, similarity, ...moment }): [string, MomentResponse] => [
        mediaFileId,
        { ...moment, score: round(similarity) },
      ]),
    );
    return ranked.flatMap((hit) => {
      const media = files.get(hit.id);
      if (media === undefined) return [];
      return [{ media, score: round(hit.score), nearestMoment: momentOf.get(hit.id) ?? null }];
    });
  }
}

/** Six decimals: what comes after is noise of half-precision vectors. */
export function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function roundOrNull(value: number | null): number | null {
  return value === null ? null : round(value);
}
