import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsUUID } from 'class-validator';

export class ExplainQuery {
  @ApiProperty({ format: 'uuid', description: 'The file asked about' })
  @IsUUID()
  mediaId!: string;
}

export const EXPLAIN_CODES = [
  'found',
  'deleted',
  'private',
  'filtered-out',
  'excluded-word',
  'nothing-sure',
  'words-missing',
  'not-in-these-places',
  'not-processed',
  'not-embedded',
  'below-cutoff',
  'below-min-score',
  'missed-by-approximation',
  'no-moment-within',
  'semantic-unavailable',
] as const;
export type ExplainCode = (typeof EXPLAIN_CODES)[number];

export class ExplainReasonResponse {
  @ApiProperty({ enum: EXPLAIN_CODES })
  code!: ExplainCode;

  @ApiProperty({ example: 'The filter does not let it through.' })
  detail!: string;

  @ApiPropertyOptional({ description: 'JSON pointer to the clause of the search', example: '/filter/tags' })
  pointer?: string;
}

export class ExplainVectorResponse {
  @ApiProperty({ type: 'number', nullable: true, description: 'Cosine similarity of the nearest segment' })
  similarity!: number | null;

  @ApiProperty({ type: 'number', description: 'From here on a segment counts as found' })
  cutoff!: number;
}

export class ExplainTextResponse {
  @ApiProperty({ type: [String], description: 'Words of the query that the file does not hold anywhere' })
  missingWords!: string[];

  @ApiProperty({
    type: 'number',
    nullable: true,
    description: 'Rank of the full-text search; null = no match',
  })
  rank!: number | null;
}

export class ExplainResponse {
  @ApiProperty({ format: 'uuid' })
  searchId!: string;

  @ApiProperty({ format: 'uuid' })
  mediaFileId!: string;

  @ApiProperty({ description: 'The search, run again now, finds the file' })
  isFound!: boolean;

  @ApiProperty({ description: 'It was on a page that this search has shown' })
  wasShown!: boolean;

  @ApiProperty({ type: 'integer', nullable: true, description: '1 = first; by relevance' })
  position!: number | null;

  @ApiProperty({ type: 'number', nullable: true })
  score!: number | null;

  @ApiProperty({ type: ExplainVectorResponse, nullable: true, description: 'null: meaning was not asked' })
  vector!: ExplainVectorResponse | null;

  @ApiProperty({ type: ExplainTextResponse, nullable: true, description: 'null: words were not asked' })
  text!: ExplainTextResponse | null;

  @ApiProperty({ type: [ExplainReasonResponse], description: 'Every reason that holds, the hardest first' })
  reasons!: ExplainReasonResponse[];
}
