import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { STORED_DIMENSIONS } from '../../../../infrastructure/ai/ai.types.js';
import { MODEL_STATES, type ModelState } from '../embedding-models.types.js';

const PROVIDERS = ['local', 'openai'];
/** Visible ASCII, as providers name their models. */
const MODEL_NAME = /^[\x21-\x7e]{1,100}$/;
const VERSION = /^[\x21-\x7e]{1,20}$/;

export class RegisterEmbeddingModelRequest {
  @ApiProperty({ enum: PROVIDERS })
  @IsIn(PROVIDERS)
  provider!: string;

  @ApiProperty({ example: 'text-embedding-3-large', maxLength: 100 })
  @IsString()
  @Matches(MODEL_NAME, { message: 'name takes 1 to 100 visible ASCII characters' })
  name!: string;

  @ApiPropertyOptional({ example: 'v1', maxLength: 20, description: "Default: the provider's own" })
  @IsOptional()
  @IsString()
  @Matches(VERSION, { message: 'version takes 1 to 20 visible ASCII characters' })
  version?: string;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: STORED_DIMENSIONS })
  @IsInt()
  @Min(1)
  @Max(STORED_DIMENSIONS)
  dimensions!: number;
}

export class ActivateEmbeddingModelRequest {
  @ApiPropertyOptional({
    default: false,
    description:
      'Switch although files lack vectors of the model: they are found by words until they have them',
  })
  @IsOptional()
  @IsBoolean()
  force?: boolean;
}

export class EmbeddingModelResponse {
  @ApiProperty({ type: 'integer' }) id!: number;
  @ApiProperty({ example: 'local' }) provider!: string;
  @ApiProperty({ example: 'local-hash-embedding' }) name!: string;
  @ApiProperty({ example: 'v1' }) version!: string;
  @ApiProperty({ type: 'integer', description: "The model's own number, before padding" })
  dimensions!: number;
  @ApiProperty({ enum: MODEL_STATES }) state!: ModelState;
  @ApiProperty({ description: 'This process can embed with it: its provider, key and price are configured' })
  isServable!: boolean;
  @ApiProperty({ description: 'Every file that should have vectors of this model has them' })
  isComplete!: boolean;
  @ApiProperty({
    type: 'integer',
    description: 'Files that should have vectors: analysed and not in the trash',
  })
  searchableFiles!: number;
  @ApiProperty({ type: 'integer', description: 'Of these, files that have vectors of this model' })
  embeddedFiles!: number;
  @ApiProperty({ type: 'integer', description: 'searchableFiles - embeddedFiles' }) missingFiles!: number;
  @ApiProperty({
    type: [String],
    description: 'Ids of the first of the missing files, at most 20',
  })
  missingFileIds!: string[];
  @ApiProperty({
    type: 'integer',
    description: 'Missing files whose re-embedding has failed or was cancelled; `reindex` tries them again',
  })
  failedFiles!: number;
  @ApiProperty({ type: 'integer', description: 'Jobs of re-embedding that wait or run' }) openJobs!: number;
  @ApiProperty({ type: 'integer', description: 'Vectors in all, those of files in the trash among them' })
  segments!: number;
  @ApiProperty({ type: 'integer', minimum: 0, maximum: 100 }) progressPercentage!: number;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) activatedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) retiredAt!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'Of a retired model: new files are embedded with it until then, so that the way back is one switch',
  })
  fedUntil!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Re-embedding was asked for then, and there are files left that have no job yet',
  })
  reindexRequestedAt!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Its vectors are being dropped',
  })
  dropRequestedAt!: string | null;
}

export class EmbeddingModelList {
  @ApiProperty({ type: [EmbeddingModelResponse] }) items!: EmbeddingModelResponse[];
}

class TokenEstimate {
  @ApiProperty({ type: 'integer', description: 'At four bytes of text to a token' }) expected!: number;
  @ApiProperty({ type: 'integer', description: 'No tokenizer makes more of it' }) atMost!: number;
}

class CostEstimate {
  @ApiProperty({ example: '0.0125' }) expected!: string;
  @ApiProperty({ example: '0.05' }) atMost!: string;
  @ApiProperty({ example: 'USD' }) currency!: string;
}

export class ReindexEstimate {
  @ApiProperty({ type: 'integer' }) modelId!: number;
  @ApiProperty({ type: 'integer', description: 'Files that have no vectors of the model yet' })
  files!: number;
  @ApiProperty({ type: 'integer', description: 'Texts, one vector each' }) segments!: number;
  @ApiProperty({ type: 'integer' }) characters!: number;
  @ApiProperty({ type: TokenEstimate }) tokens!: TokenEstimate;
  @ApiProperty({ type: CostEstimate, description: 'By the price list; nothing has been spent' })
  cost!: CostEstimate;
  @ApiProperty({
    type: 'integer',
    description: 'Files that were never embedded: counted with the mean of the others',
  })
  guessedFiles!: number;
}
