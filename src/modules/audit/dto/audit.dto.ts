import { ApiProperty } from '@nestjs/swagger';

export class AuditLogResponse {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() eventType!: string;
  @ApiProperty({ enum: ['auth', 'upload', 'search', 'billing', 'admin', 'security'] }) eventCategory!: string;
  @ApiProperty({ enum: ['user', 'system', 'admin', 'service'] }) actorType!: string;
  @ApiProperty() action!: string;
  @ApiProperty({ type: String, nullable: true }) targetType!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true }) targetId!: string | null;
  @ApiProperty({ type: String, nullable: true }) description!: string | null;
  @ApiProperty({ type: String, nullable: true }) ipAddress!: string | null;
  @ApiProperty({ type: String, nullable: true }) requestId!: string | null;
  @ApiProperty({ type: Object, nullable: true }) oldValues!: unknown;
  @ApiProperty({ type: Object, nullable: true }) newValues!: unknown;
  @ApiProperty({ enum: ['low', 'medium', 'high', 'critical'] }) riskLevel!: string;
  @ApiProperty({ format: 'date-time' }) occurredAt!: string;
}

export class AuditLogPage {
  @ApiProperty({ type: [AuditLogResponse] }) items!: AuditLogResponse[];
  @ApiProperty({ type: String, nullable: true }) nextCursor!: string | null;
}
