import { ApiProperty } from '@nestjs/swagger';

export class LivenessResponse {
  @ApiProperty({ enum: ['ok'] }) status!: 'ok';
}

class PoolFigures {
  @ApiProperty({ type: 'integer' }) totalCount!: number;
  @ApiProperty({ type: 'integer' }) idleCount!: number;
  @ApiProperty({ type: 'integer' }) waitingCount!: number;
  @ApiProperty({ type: 'integer' }) max!: number;
}

class DatabaseCheck {
  @ApiProperty() ok!: boolean;
  @ApiProperty({ type: PoolFigures }) pool!: PoolFigures;
}

class StorageCheck {
  @ApiProperty() ok!: boolean;
  @ApiProperty({ enum: ['local', 's3'] }) provider!: string;
}

class JobTransportCheck {
  @ApiProperty() ok!: boolean;
  @ApiProperty({ enum: ['in-process', 'bull'] }) kind!: string;
}

class EmbeddingModelCheck {
  @ApiProperty({
    description: 'False: nothing here can embed with the active model, search goes on by words',
  })
  ok!: boolean;
}

class ReadinessChecks {
  @ApiProperty({ type: DatabaseCheck }) database!: DatabaseCheck;
  @ApiProperty({ type: StorageCheck }) storage!: StorageCheck;
  @ApiProperty({ type: JobTransportCheck }) jobTransport!: JobTransportCheck;
  @ApiProperty({ type: EmbeddingModelCheck }) embeddingModel!: EmbeddingModelCheck;
}

export class ReadinessResponse {
  @ApiProperty({ enum: ['ok', 'degraded', 'unavailable'] }) status!: 'ok' | 'degraded' | 'unavailable';
  @ApiProperty({ type: ReadinessChecks }) checks!: ReadinessChecks;
}
