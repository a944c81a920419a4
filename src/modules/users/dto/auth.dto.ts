import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';

/** NIST SP 800-63B: length is what counts; 8 is its floor for a single factor, 10 here. */
const MIN_PASSWORD = 10;
/** Longer passwords are refused rather than cut. argon2 takes any length; this bounds the work. */
const MAX_PASSWORD = 200;

export class RegisterRequest {
  @ApiProperty({ example: 'ada@example.com' })
  @IsString()
  @MaxLength(320)
  email!: string;

  @ApiProperty({ minLength: MIN_PASSWORD, maxLength: MAX_PASSWORD })
  @IsString()
  @MinLength(MIN_PASSWORD)
  @MaxLength(MAX_PASSWORD)
  password!: string;

  @ApiPropertyOptional({ maxLength: 100 })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  displayName?: string;
}

export class LoginRequest {
  @ApiProperty()
  @IsString()
  @MaxLength(320)
  email!: string;

  @ApiProperty()
  @IsString()
  @MaxLength(MAX_PASSWORD)
  password!: string;
}

export class RefreshRequest {
  @ApiProperty()
  @IsString()
  @MaxLength(200)
  refreshToken!: string;
}

export class SessionUser {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() email!: string;
  @ApiProperty({ enum: ['USER', 'ADMIN', 'ENTERPRISE'] }) role!: string;
  @ApiProperty({ enum: ['free', 'premium', 'ultimate'] }) subscriptionTier!: string;
}

export class SessionResponse {
  @ApiProperty({ type: SessionUser }) user!: SessionUser;
  @ApiProperty() accessToken!: string;
  @ApiProperty() refreshToken!: string;
  @ApiProperty({ type: 'integer' }) expiresInSeconds!: number;
}
