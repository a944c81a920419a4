import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { AppConfig } from '../../../infrastructure/config/config.js';
import { Database, type Transaction } from '../../../infrastructure/database/database.js';
import type { EmbeddingModel as ModelRow } from '../../../infrastructure/database/generated/client.js';
import { APP_CONFIG, LOGGER, PROCESS_ROLE } from '../../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../../infrastructure/observability/logger.js';
import type { ProcessRole } from '../../../infrastructure/runtime.js';
import { JobsService } from '../../jobs/jobs.service.js';
import { BACKGROUND_JOB_TYPE, BACKGROUND_PRIORITY, JOB_CATALOGUE } from '../../jobs/jobs.types.js';
import { EmbeddingModelsRepository } from './embedding-models.repository.js';
import { describeModel } from './embedding-models.types.js';
import { lockReindex, type FileKey } from './sql/embedding-models.sql.js';

/**
 * Jobs of re-embedding that exist at once, over all users. Few, so that the queue stays the users' own: the dispatcher
 * holds 100 messages, and looks at 25 rows of a user at a time.
 */
const MAX_OPEN_JOBS = 40;
const DROP_BATCH = 2_000;

interface Pass {
  requestedAt: number;
  after: FileKey | null;
  foundAny: boolean;
}

/**
 * Hands the files that lack vectors of a model to the job machine, a few at a time, and deletes the vectors of models
 * that were given up. What there is to do stands in the database: any number of processes may run this, one works at a
 * time, and one that dies loses nothing.
 */
@Injectable()
export class ReindexFeeder implements OnApplicationBootstrap, OnModuleDestroy {
  /** How far each model's pass over the library is. Lost with the process; then the pass begins anew. */
  private readonly passes = new Map<number, Pass>();
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> | null = null;
  private faulty = false;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(EmbeddingModelsRepository) private readonly models: EmbeddingModelsRepository,
    @Inject(JobsService) private readonly jobs: JobsService,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(PROCESS_ROLE) private readonly role: ProcessRole,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'JOB_POLL_MS'>,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.role.runsJobs) return;
    this.timer = setInterval(() => this.poll(), this.config.JOB_POLL_MS);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.round;
  }

  /** One look: writes jobs up to the limit, deletes one batch of vectors. @returns jobs written and vectors deleted */
  async feed(): Promise<{ jobs: number; vectors: number }> {
    const done = await this.database.runAsSystem('embedding-models.reindex', async (tx) => {
      const models = (await this.models.list(tx)).filter(
        ({ reindexRequestedAt, dropRequestedAt }) => reindexRequestedAt || dropRequestedAt,
      );
      if (models.length === 0) return { jobs: 0, vectors: 0 };
      const [lock] = await tx.$queryRaw<{ taken: boolean }[]>(lockReindex());
      if (!lock?.taken) return { jobs: 0, vectors: 0 };
      let vectors = 0;
      let jobs = 0;
      for (const model of models) {
        if (model.dropRequestedAt) vectors += await this.drop(tx, model);
        else jobs += await this.writeJobs(tx, model);
      }
      return { jobs, vectors };
    });
    if (done.jobs > 0) this.jobs.wake();
    return done;
  }

  private poll(): void {
    this.round ??= this.feed()
      .then(
        () => {
          this.faulty = false;
        },
        (error: Error) => {
          // One line when it begins, not one per poll.
          if (!this.faulty) this.logger.error({ reason: error.message }, 're-embedding cannot be fed');
          this.faulty = true;
        },
      )
      .finally(() => {
        this.round = null;
      });
  }

  private async writeJobs(tx: Transaction, model: ModelRow): Promise<number> {
    const requestedAt = model.reindexRequestedAt as Date;
    const room = MAX_OPEN_JOBS - (await this.models.countOpenJobs(tx));
    if (room <= 0) return 0;
    const pass = this.passOf(model.id, requestedAt);
    const files = await this.models.candidates(tx, {
      modelId: model.id,
      requestedAt,
      after: pass.after,
      limit: room,
    });
    await tx.processingJob.createMany({
      data: files.map(({ userId, mediaFileId, subscriptionTier }) => ({
        userId,
        id: uuidv7(),
        mediaFileId,
        jobType: BACKGROUND_JOB_TYPE,
        priority: BACKGROUND_PRIORITY,
        subscriptionTier,
        maxAttempts: JOB_CATALOGUE[BACKGROUND_JOB_TYPE].maxAttempts,
        jobConfig: { modelId: model.id },
      })),
    });
    if (files.length === room) {
      this.passes.set(model.id, { ...pass, after: files.at(-1) ?? null, foundAny: true });
    } else if (pass.foundAny || files.length > 0) {
      // The end of a pass that found something: once more from the beginning, for what was added behind its back.
      this.passes.delete(model.id);
    } else {
      this.passes.delete(model.id);
      await this.models.update(tx, model.id, { reindexRequestedAt: null });
      this.logger.info(
        { modelId: model.id, model: describeModel(model) },
        'every file without vectors of the model has its job',
      );
    }
    return files.length;
  }

  private passOf(modelId: number, requestedAt: Date): Pass {
    const pass = this.passes.get(modelId);
    if (pass?.requestedAt === requestedAt.getTime()) return pass;
    return { requestedAt: requestedAt.getTime(), after: null, foundAny: false };
  }

  private async drop(tx: Transaction, model: ModelRow): Promise<number> {
    const deleted = await this.models.deleteVectors(tx, model.id, DROP_BATCH);
    if (deleted === 0) await this.models.update(tx, model.id, { dropRequestedAt: null });
    return deleted;
  }
}
