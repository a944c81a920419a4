import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import { OBJECT_STORAGE } from '../../infrastructure/infrastructure.tokens.js';
import { JOB_TRANSPORT, type JobTransport } from '../../infrastructure/queue/job-transport.js';
import type { ObjectStorage } from '../../infrastructure/storage/object-storage.js';
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
  ) {}

  /**
   * `unavailable` without database or storage: nothing can be served. `degraded` without the job transport: uploads
   * and searches go on, jobs wait (threat B5).
   */
  async readiness(): Promise<ReadinessResponse> {
    const [database, storage, transport] = await Promise.all([
      within(this.database.healthCheck()),
      within(this.storage.healthCheck()),
      within(this.transport.health().then((health) => health.ok)),
    ]);
    return {
      status: database && storage ? (transport ? 'ok' : 'degraded') : 'unavailable',
      checks: {
        database: { ok: database, pool: this.database.getPoolInfo() },
        storage: { ok: storage, provider: this.storage.provider },
        jobTransport: { ok: transport, kind: this.transport.kind },
      },
    };
  }
}

function within(check: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  return Promise.race([check.catch(() => false), timeout]).finally(() => clearTimeout(timer));
}
