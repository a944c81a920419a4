import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { PageQuery } from '../../../infrastructure/http/pagination.dto.js';
import { JOB_CATALOGUE, JOB_STATUSES } from '../jobs.types.js';

const JOB_TYPES = Object.keys(JOB_CATALOGUE);

export class JobListQuery extends PageQuery {
  @ApiPropertyOptional({ enum: JOB_STATUSES })
  @IsOptional()
  @IsIn(JOB_STATUSES)
  status?: string;

  @ApiPropertyOptional({ enum: JOB_TYPES })
  @IsOptional()
  @IsIn(JOB_TYPES)
  jobType?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Only the jobs of this file' })
  @IsOptional()
  @IsUUID('all')
  mediaFileId?: string;
}

export class AdminJobListQuery extends JobListQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'Only the jobs of this user' })
  @IsOptional()
  @IsUUID('all')
  userId?: string;
}

export class JobResponse {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true }) mediaFileId!: string | null;
  @ApiProperty({ example: 'image_analysis' }) jobType!: string;
  @ApiProperty({ enum: JOB_STATUSES, description: '`blocked` waits for other jobs of the file to end' })
  status!: string;
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 10, description: '1 is the highest' })
  priority!: number;
  @ApiProperty({ type: 'integer', minimum: 0, maximum: 100, description: 'Never goes backwards' })
  progressPercentage!: number;
  @ApiProperty({ type: String, nullable: true, description: 'What the job is doing' }) step!: string | null;
  @ApiProperty({ type: 'integer' }) attempts!: number;
  @ApiProperty({ type: 'integer' }) maxAttempts!: number;
  @ApiProperty({ type: String, nullable: true, description: 'Stable; of the last attempt that failed' })
  errorCode!: string | null;
  @ApiProperty({ type: String, nullable: true }) errorMessage!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'What to do about the error' }) hint!:
    string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The job that this one repeats' })
  retryOf!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When a failed attempt is repeated',
  })
  retryAt!: string | null;
  @ApiProperty({ format: 'date-time' }) queuedAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) startedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) completedAt!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'From the median time of your last jobs of this kind; null while unknown',
  })
  estimatedCompletionAt!: string | null;
  @ApiProperty({ type: String, nullable: true, example: '0.0012', description: 'Decimal, in `currency`' })
  estimatedCost!: string | null;
  @ApiProperty({ type: String, nullable: true, example: '0.0009', description: 'Decimal, in `currency`' })
  actualCost!: string | null;
  @ApiProperty({ example: 'USD' }) currency!: string;
}

export class JobPage {
  @ApiProperty({ type: [JobResponse] }) items!: JobResponse[];
  @ApiProperty({ type: String, nullable: true }) nextCursor!: string | null;
}

export class AdminJobResponse extends JobResponse {
  @ApiProperty({ format: 'uuid' }) userId!: string;
  @ApiProperty() subscriptionTier!: string;
  @ApiProperty({ type: String, nullable: true, description: 'The worker that has the job' }) lockedBy!:
    string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) leaseExpiresAt!: string | null;
}

export class AdminJobPage {
  @ApiProperty({ type: [AdminJobResponse] }) items!: AdminJobResponse[];
  @ApiProperty({ type: String, nullable: true }) nextCursor!: string | null;
}

export class QueueFigure {
  @ApiProperty({ enum: JOB_STATUSES }) status!: string;
  @ApiProperty() jobType!: string;
  @ApiProperty({ type: 'integer' }) jobs!: number;
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'How long the longest-waiting due job has waited',
  })
  oldestDueSeconds!: number | null;
}

export class QueueReport {
  @ApiProperty({ enum: ['in-process', 'bull'] }) transport!: string;
  @ApiProperty({ description: 'False: jobs wait in the database until the transport is back' })
  transportOk!: boolean;
  @ApiProperty({ type: String, nullable: true }) transportDetail!: string | null;
  @ApiProperty({ type: [QueueFigure], description: 'Jobs that have not ended' }) figures!: QueueFigure[];
}
