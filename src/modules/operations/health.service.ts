import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import { OBJECT_STORAGE } from '../../infrastructure/infrastructure.tokens.js';
import { TextEmbedders } from '../../infrastructure/ai/text-embedders.js';
import { JOB_TRANSPORT, type JobTransport } from '../../infrastructure/queue/job-transport.js';
import type { ObjectStorage } from '../../infrastructure/storage/object-storage.js';
import { ActiveEmbeddingModelReader } from '../media/embedding-models/active-embedding-model.reader.js';
import type { ReadinessResponse } from './dto/operations.dto.js';

/** A part that does not answer in this time counts as down. */
const CHECK_TIMEOUT_MS = 3000;

/** What the product needs, and whether it is there. */
@Injectable()
export class HealthService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(JOB_TRANSPORT) private readonly transport: JobTransport,
    @Inject(OBJECT_STORAGE) private readonly storage: ObjectStorage,
    @Inject(ActiveEmbeddingModelReader) private readonly activeModel: ActiveEmbeddingModelReader,
    @Inject(TextEmbedders) private readonly embedders: TextEmbedders,
  ) {}

  /**
   * `unavailable` without database or storage: nothing can be served. `degraded` without the job transport: uploads
   * and searches go on, jobs wait (threat B5); and without a way to embed with the active model: search goes on by words.
   */
  async readiness(): Promise<ReadinessResponse> {
    const [database, storage, transport, embedding] = await Promise.all([
      within(this.database.healthCheck()),
      within(this.storage.healthCheck()),
      within(this.transport.health().then((health) => health.ok)),
      within(this.canEmbed()),
    ]);
    return {
      status: database && storage ? (transport && embedding ? 'ok' : 'degraded') : 'unavailable',
      checks: {
        database: { ok: database, pool: this.database.getPoolInfo() },
        storage: { ok: storage, provider: this.storage.provider },
        jobTransport: { ok: transport, kind: this.transport.kind },
        embeddingModel: { ok: embedding },
      },
    };
  }

  private async canEmbed(): Promise<boolean> {
    const model = await this.activeModel.readAsSystem();
    return model !== null && this.embedders.find(model) !== null;
  }
}

function within(check: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  return Promise.race([check.catch(() => false), timeout]).finally(() => clearTimeout(timer));
}
