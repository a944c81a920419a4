import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsOptional, ValidateIf } from 'class-validator';
import { faultOfLine, FollowsRule, MAX_LABEL_LENGTH, normalizeLine } from '../text-rules.js';

const MAX_DESCRIPTION_LENGTH = 1000;

const toLine = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' ? normalizeLine(value) : value;

/** Body of `POST /v1/tags` and `POST /v1/categories`. */
export class CreateLabelRequest {
  @ApiProperty({ maxLength: MAX_LABEL_LENGTH, description: 'Unique whatever its case' })
  @Transform(toLine)
  @FollowsRule((value) => faultOfLine(value, MAX_LABEL_LENGTH))
  name!: string;

  @ApiPropertyOptional({ maxLength: MAX_DESCRIPTION_LENGTH })
  @IsOptional()
  @Transform(toLine)
  @FollowsRule((value) => faultOfLine(value, MAX_DESCRIPTION_LENGTH))
  description?: string;
}

/** Body of `PATCH /v1/tags/{id}` and `PATCH /v1/categories/{id}`; what is absent stays as it is. */
export class UpdateLabelRequest {
  @ApiPropertyOptional({ maxLength: MAX_LABEL_LENGTH })
  @ValidateIf((_request, value) => value !== undefined)
  @Transform(toLine)
  @FollowsRule((value) => faultOfLine(value, MAX_LABEL_LENGTH))
  name?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_DESCRIPTION_LENGTH,
    nullable: true,
    description: 'null removes it',
  })
  @IsOptional()
  @Transform(toLine)
  @FollowsRule((value) => faultOfLine(value, MAX_DESCRIPTION_LENGTH))
  description?: string | null;
}

export class TagResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty()
  name!: string;

  @ApiProperty({ type: String, nullable: true })
  description!: string | null;

  @ApiProperty({ type: 'integer', description: 'Files that have it, without the trash' })
  mediaCount!: number;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export class CategoryResponse extends TagResponse {
  @ApiProperty({ description: 'True for the categories that everybody has and nobody can change' })
  isSystem!: boolean;
}

export class TagListResponse {
  @ApiProperty({ type: [TagResponse] })
  items!: TagResponse[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

export class CategoryListResponse {
  @ApiProperty({ type: [CategoryResponse] })
  items!: CategoryResponse[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}
