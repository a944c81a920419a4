import { ApiProperty, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';

/** -1 is accepted as another way to say "unlimited" (C07); null is how it is kept and given out. */
const UnlimitedAlias = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (value === -1 ? null : value));
const IfLimited = (): PropertyDecorator => ValidateIf((_object, value) => value !== null);
const MAX_INTEGER = 2_147_483_647;
/** The largest whole number that JSON clients read exactly. */
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export class UsageLimitsResponse {
  @ApiProperty({ enum: ['free', 'premium', 'ultimate'] })
  tierName!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'null = unlimited; -1 is accepted for it' })
  @UnlimitedAlias()
  @IfLimited()
  @IsInt()
  @Min(0)
  @Max(MAX_INTEGER)
  maxUploadsPerMonth!: number | null;

  @ApiProperty({ type: 'integer', nullable: true })
  @UnlimitedAlias()
  @IfLimited()
  @IsInt()
  @Min(0)
  @Max(MAX_INTEGER)
  maxSearchesPerMonth!: number | null;

  @ApiProperty({ type: 'integer', nullable: true })
  @UnlimitedAlias()
  @IfLimited()
  @IsInt()
  @Min(0)
  @Max(MAX_SAFE)
  maxStorageBytes!: number | null;

  @ApiProperty({ type: 'integer', nullable: true })
  @UnlimitedAlias()
  @IfLimited()
  @IsInt()
  @Min(1)
  @Max(MAX_SAFE)
  maxFileSizeBytes!: number | null;

  @ApiProperty({ type: 'integer', nullable: true })
  @UnlimitedAlias()
  @IfLimited()
  @IsInt()
  @Min(1)
  @Max(MAX_INTEGER)
  maxVideoDurationSeconds!: number | null;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: 10, description: '1 = highest' })
  @IsInt()
  @Min(1)
  @Max(10)
  priorityLevel!: number;

  @ApiProperty({ type: [String] })
  @IsArray()
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(50, { each: true })
  featuresEnabled!: string[];

  @ApiProperty({ type: [String] })
  @IsArray()
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(50, { each: true })
  aiFeaturesEnabled!: string[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'USD per billing period, decimal',
    example: '5.00',
  })
  @UnlimitedAlias()
  @IfLimited()
  @IsString()
  @Matches(/^\d{1,8}(\.\d{1,2})?$/, {
    message: 'maxMonthlyCost must be a decimal string with at most two decimals',
  })
  maxMonthlyCost!: string | null;

  @ApiProperty({ description: 'share of maxMonthlyCost at which to warn' })
  @IsNumber({ maxDecimalPlaces: 4 })
  @Min(0.0001)
  @Max(1)
  costAlertThreshold!: number;

  @ApiProperty({ type: 'integer', description: 'requests per hour' })
  @IsInt()
  @Min(0)
  @Max(MAX_INTEGER)
  apiRateLimit!: number;

  @ApiProperty({ type: 'integer', description: 'uploads per hour' })
  @IsInt()
  @Min(0)
  @Max(MAX_INTEGER)
  uploadRateLimit!: number;

  @ApiProperty({ type: 'integer', description: 'searches per hour' })
  @IsInt()
  @Min(0)
  @Max(MAX_INTEGER)
  searchRateLimit!: number;

  @ApiProperty({ enum: ['community', 'email', 'priority'] })
  @IsIn(['community', 'email', 'priority'])
  supportLevel!: string;

  @ApiProperty({ format: 'date-time' })
  effectiveFrom!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  effectiveUntil!: string | null;
}

/** The whole set, without what is read-only. */
export class UsageLimitsUpdate extends PickType(UsageLimitsResponse, [
  'maxUploadsPerMonth',
  'maxSearchesPerMonth',
  'maxStorageBytes',
  'maxFileSizeBytes',
  'maxVideoDurationSeconds',
  'priorityLevel',
  'featuresEnabled',
  'aiFeaturesEnabled',
  'maxMonthlyCost',
  'costAlertThreshold',
  'apiRateLimit',
  'uploadRateLimit',
  'searchRateLimit',
  'supportLevel',
] as const) {}

export class PlanList {
  @ApiProperty({ type: [UsageLimitsResponse] }) items!: UsageLimitsResponse[];
}
