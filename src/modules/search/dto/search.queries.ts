import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, Max, Min } from 'class-validator';
import { PageQuery } from '../../../infrastructure/http/pagination.dto.js';
import { IsCleanText, TrimText } from './clean-text.decorator.js';

export class SuggestionsQuery {
  @ApiProperty({ minLength: 1, maxLength: 100, description: 'What has been typed so far' })
  @TrimText()
  @IsCleanText(100)
  q!: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 20, default: 10 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(20)
  limit: number = 10;
}

export class SimilarQuery extends PageQuery {
  @ApiPropertyOptional({ type: Boolean, default: false, description: 'Private files as well' })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  includePrivate: boolean = false;
}
