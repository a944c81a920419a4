import { ApiProperty } from '@nestjs/swagger';

class UsagePeriod {
  @ApiProperty({ format: 'date-time' }) start!: string;
  @ApiProperty({ format: 'date-time' }) end!: string;
}

class UsageCounter {
  @ApiProperty({ type: 'integer' }) used!: number;
  @ApiProperty({ type: 'integer', nullable: true, description: 'null = unlimited' }) limit!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) remaining!: number | null;
}

class StorageUsage {
  @ApiProperty({ type: 'integer' }) usedBytes!: number;
  @ApiProperty({ type: 'integer', nullable: true }) limitBytes!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) remainingBytes!: number | null;
}

class CostUsage {
  @ApiProperty({ description: 'decimal' }) amount!: string;
  @ApiProperty({ type: String, nullable: true, description: 'decimal' }) limit!: string | null;
  @ApiProperty({ example: 'USD' }) currency!: string;
}

class HourlyLimits {
  @ApiProperty({ type: 'integer' }) api!: number;
  @ApiProperty({ type: 'integer' }) upload!: number;
  @ApiProperty({ type: 'integer' }) search!: number;
}

export class UsageResponse {
  @ApiProperty({ enum: ['free', 'premium', 'ultimate'] }) tier!: 'free' | 'premium' | 'ultimate';
  @ApiProperty({ type: UsagePeriod }) period!: UsagePeriod;
  @ApiProperty({ type: UsageCounter }) uploads!: UsageCounter;
  @ApiProperty({ type: UsageCounter }) searches!: UsageCounter;
  @ApiProperty({ type: StorageUsage }) storage!: StorageUsage;
  @ApiProperty({ type: CostUsage }) cost!: CostUsage;
  @ApiProperty({ type: HourlyLimits, description: 'requests per hour' }) rateLimits!: HourlyLimits;
}
