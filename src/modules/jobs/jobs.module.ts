import { hostname } from 'node:os';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { Database } from '../../infrastructure/database/database.js';
import { APP_CONFIG, LOGGER } from '../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../infrastructure/observability/logger.js';
import { createJobTransport } from '../../infrastructure/queue/create-job-transport.js';
import { JOB_TRANSPORT, type JobTransport } from '../../infrastructure/queue/job-transport.js';
import { BillingModule } from '../billing/billing.module.js';
import { UsageService } from '../billing/usage.service.js';
import { AdminJobsController } from './admin-jobs.controller.js';
import { JobDispatcher } from './job-dispatcher.js';
import { JobEventsService } from './job-events.service.js';
import { JobLifecycle } from './job-lifecycle.js';
import { JobMetrics } from './job-metrics.js';
import { JobRegistry } from './job-registry.js';
import { JobRunner } from './job-runner.js';
import { JobWorker } from './job-worker.js';
import { JobsController } from './jobs.controller.js';
import { JobsRepository } from './jobs.repository.js';
import { JobsService } from './jobs.service.js';

/** Injection token of JobProcessOptions. */
export const JOB_PROCESS = Symbol('JOB_PROCESS');

export interface JobProcessOptions {
  /**
   * Whether this process works on jobs. Unless said otherwise it does when there is no Redis, because then no other
   * process could; with Redis that is the worker's business.
   */
  consume?: boolean;
  /** How long jobs under way may go on when the process is told to stop, in milliseconds. */
  drainMs?: number;
}

/** Says what the process is. Import it beside the application's module, e.g. `JobProcessModule.for({ consume: true })`. */
@Global()
@Module({})
export class JobProcessModule {
  static for(options: JobProcessOptions): DynamicModule {
    return {
      module: JobProcessModule,
      providers: [{ provide: JOB_PROCESS, useValue: options }],
      exports: [JOB_PROCESS],
    };
  }
}

@Module({
  imports: [BillingModule],
  controllers: [JobsController, AdminJobsController],
  providers: [
    JobsRepository,
    JobsService,
    JobRegistry,
    JobLifecycle,
    JobMetrics,
    JobEventsService,
    {
      provide: JOB_TRANSPORT,
      inject: [APP_CONFIG, LOGGER],
      useFactory: (config: AppConfig, logger: Logger): JobTransport => createJobTransport(config, logger),
    },
    {
      provide: JobDispatcher,
      inject: [Database, JOB_TRANSPORT, JobLifecycle, JobMetrics, LOGGER, APP_CONFIG],
      useFactory: (
        database: Database,
        transport: JobTransport,
        lifecycle: JobLifecycle,
        metrics: JobMetrics,
        logger: Logger,
        config: AppConfig,
      ): JobDispatcher =>
        new JobDispatcher(database, transport, lifecycle, metrics, logger, { pollMs: config.JOB_POLL_MS }),
    },
    {
      provide: JobRunner,
      inject: [
        Database,
        JobLifecycle,
        JobRegistry,
        JobMetrics,
        UsageService,
        LOGGER,
        JobDispatcher,
        APP_CONFIG,
      ],
      useFactory: (
        database: Database,
        lifecycle: JobLifecycle,
        registry: JobRegistry,
        metrics: JobMetrics,
        costs: UsageService,
        logger: Logger,
        dispatcher: JobDispatcher,
        config: AppConfig,
      ): JobRunner =>
        new JobRunner(
          { database, lifecycle, registry, metrics, costs, logger, onEnded: () => dispatcher.wake() },
          {
            workerId: `${hostname()}:${process.pid}:${uuidv7().slice(-6)}`.slice(-100),
            leaseSeconds: config.JOB_LEASE_SECONDS,
            retryBaseMs: config.JOB_RETRY_BASE_MS,
          },
        ),
    },
    {
      provide: JobWorker,
      inject: [
        JOB_TRANSPORT,
        JobDispatcher,
        JobRunner,
        JobRegistry,
        APP_CONFIG,
        { token: JOB_PROCESS, optional: true },
      ],
      useFactory: (
        transport: JobTransport,
        dispatcher: JobDispatcher,
        runner: JobRunner,
        registry: JobRegistry,
        config: AppConfig,
        options: JobProcessOptions | undefined,
      ): JobWorker =>
        new JobWorker(transport, dispatcher, runner, registry, {
          consume: options?.consume ?? transport.kind === 'in-process',
          concurrency: config.JOB_CONCURRENCY,
          drainMs: options?.drainMs,
        }),
    },
  ],
  exports: [JobsService, JobRegistry, JOB_TRANSPORT],
})
export class JobsModule {}
