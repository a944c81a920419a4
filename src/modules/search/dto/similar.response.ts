import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { MAX_NEAR_DUPLICATES } from '../near-duplicates.js';
import { MediaResponse } from '../../media/dto/media.response.js';
import { MomentResponse } from './search.response.js';

export class NearDuplicateResponse {
  @ApiProperty({ type: MediaResponse })
  media!: MediaResponse;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: 10,
    description: 'Bits of 64 in which the perceptual hashes differ; 0 for the very same picture',
  })
  hashDistance!: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    description:
      'Cosine similarity of the best segment; null when there is no vector yet or nothing in common',
  })
  score!: number | null;
}

export class SimilarHitResponse {
  @ApiProperty({ type: MediaResponse })
  media!: MediaResponse;

  @ApiProperty({ minimum: 0, maximum: 1, description: 'Cosine similarity of the best segment' })
  score!: number;

  @ApiProperty({
    type: MomentResponse,
    nullable: true,
    description: 'Videos: the moment that is nearest in meaning, if one is near at all; null for pictures',
  })
  nearestMoment!: MomentResponse | null;
}

class PlanResponse {
  @ApiProperty({
    enum: ['exact', 'ann', 'none'],
    description:
      'How vectors were compared: all of them, the nearest by a coarse first stage, or not at all (hashes only)',
  })
  plan!: 'exact' | 'ann' | 'none';

  @ApiProperty({ type: String, nullable: true, description: 'Embedding model; null when none was used' })
  model!: string | null;
}

/** What all lists of similar files have beside their items: near duplicates on the first page, and how it goes on. */
class ListsResponse extends PlanResponse {
  @ApiProperty({
    type: [NearDuplicateResponse],
    description:
      'Files that look nearly the same, by their perceptual hash: nearest first, at most `limit`, on the first page ' +
      'alone. Those beyond are among the items, where they have a vector',
  })
  nearDuplicates!: NearDuplicateResponse[];

  @ApiProperty({
    type: 'integer',
    maximum: MAX_NEAR_DUPLICATES,
    description: `How many there are, up to ${MAX_NEAR_DUPLICATES}`,
  })
  nearDuplicatesTotal!: number;

  @ApiProperty({ type: 'integer', description: 'Items on all pages together' })
  total!: number;

  @ApiProperty({ description: 'There are at least `total` of them: not all were ranked for this page' })
  totalIsCapped!: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Asks for the next page of items; null on the last',
  })
  nextCursor!: string | null;
}

class SimilarListsResponse extends ListsResponse {
  @ApiProperty({
    type: [SimilarHitResponse],
    description: 'Other files that mean nearly the same: most similar first',
  })
  items!: SimilarHitResponse[];
}

export class SimilarResponse extends SimilarListsResponse {
  @ApiProperty({
    enum: ['ready', 'pending'],
    description: 'pending: the file has no vector yet, so only near duplicates can be told',
  })
  status!: 'ready' | 'pending';
}

export class ByImageResponse extends SimilarListsResponse {
  @ApiProperty({ format: 'uuid', description: 'Names this search in the history and for clicks' })
  searchId!: string;

  @ApiProperty({ type: 'integer' })
  tookMs!: number;

  @ApiPropertyOptional({
    enum: ['semantic-unavailable'],
    description: 'Only near duplicates were looked for, because the picture could not be embedded',
  })
  degraded?: 'semantic-unavailable';

  @ApiPropertyOptional({ enum: ['provider', 'budget', 'model'] })
  degradedReason?: 'provider' | 'budget' | 'model';
}

export class PartSimilarityResponse {
  @ApiProperty({ description: 'JSON pointer to the part in the request', example: '/include/0' })
  part!: string;

  @ApiProperty({ minimum: -1, maximum: 1, description: 'Cosine similarity to this part alone' })
  similarity!: number;
}

export class ComposedHitResponse extends SimilarHitResponse {
  @ApiProperty({
    type: [PartSimilarityResponse],
    description:
      'Why: similarity of the best segment to each part. The sum of weight times similarity, minus that of the ' +
      'excluded parts, orders the files as `score` does',
  })
  parts!: PartSimilarityResponse[];
}

export class ComposedSimilarResponse extends ListsResponse {
  @ApiProperty({ format: 'uuid', description: 'Names this search in the history and for clicks' })
  searchId!: string;

  @ApiProperty({
    type: [ComposedHitResponse],
    description: 'Best first, without the files named in the request and copies of them',
  })
  items!: ComposedHitResponse[];

  @ApiProperty({ type: 'integer' })
  tookMs!: number;
}
