import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsDateString,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  MaxLength,
  MinLength,
} from 'class-validator';
import { SCOPES, type Scope } from '../../../infrastructure/http/route-access.js';

export class ProfileResponse {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() email!: string;
  @ApiProperty() emailVerified!: boolean;
  @ApiProperty({ type: String, nullable: true }) displayName!: string | null;
  @ApiProperty({ type: String, nullable: true }) avatarUrl!: string | null;
  @ApiProperty({ enum: ['USER', 'ADMIN', 'ENTERPRISE'] }) role!: string;
  @ApiProperty({ enum: ['free', 'premium', 'ultimate'] }) subscriptionTier!: string;
  @ApiProperty({ enum: ['active', 'inactive', 'cancelled', 'suspended'] }) subscriptionStatus!: string;
  @ApiProperty({ type: Object }) settings!: unknown;
  @ApiProperty({ description: 'Whether the words, filters and addresses of your searches are kept' })
  keepsSearchHistory!: boolean;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
}

export class ProfileUpdate {
  @ApiPropertyOptional({ maxLength: 100, type: String, nullable: true })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  displayName?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true })
  @IsOptional()
  @IsUrl({ protocols: ['https'], require_protocol: true })
  @MaxLength(2000)
  avatarUrl?: string | null;

  @ApiPropertyOptional({ type: Object, description: 'Your own settings, 16 KB of JSON at most' })
  @IsOptional()
  @IsObject()
  settings?: Record<string, unknown>;

  @ApiPropertyOptional({
    description:
      'false: from now on a search is counted and nothing else is kept of it; DELETE /v1/searches removes those before. Then there are no suggestions from earlier searches, and a search cannot be explained afterwards',
  })
  @IsOptional()
  @IsBoolean()
  keepsSearchHistory?: boolean;
}

export class ApiKeyRequest {
  @ApiProperty({ maxLength: 100 })
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  name!: string;

  @ApiProperty({ enum: SCOPES, isArray: true })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SCOPES.length)
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes!: Scope[];

  @ApiPropertyOptional({ format: 'date-time', description: 'never expires when left out' })
  @IsOptional()
  @IsDateString({ strict: true })
  expiresAt?: string;
}

export class ApiKeyResponse {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ description: 'The first characters, to tell keys apart' }) prefix!: string;
  @ApiProperty({ enum: SCOPES, isArray: true }) scopes!: string[];
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) expiresAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) lastUsedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) revokedAt!: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
}

export class NewApiKeyResponse extends ApiKeyResponse {
  @ApiProperty({ description: 'The key itself: shown this once, stored as a hash only' }) key!: string;
}

export class ApiKeyList {
  @ApiProperty({ type: [ApiKeyResponse] }) items!: ApiKeyResponse[];
}
