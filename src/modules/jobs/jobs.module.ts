import { hostname } from 'node:os';
import { Module } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { Database } from '../../infrastructure/database/database.js';
import { APP_CONFIG, LOGGER, PROCESS_ROLE } from '../../infrastructure/infrastructure.tokens.js';
import type { Logger } from '../../infrastructure/observability/logger.js';
import { createJobTransport } from '../../infrastructure/queue/create-job-transport.js';
import { JOB_TRANSPORT, type JobTransport } from '../../infrastructure/queue/job-transport.js';
import type { ProcessRole } from '../../infrastructure/runtime.js';
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

/** The job machine: rows, dispatch, workers, and what people see of it. */
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
      inject: [JOB_TRANSPORT, JobDispatcher, JobRunner, JobRegistry, APP_CONFIG, PROCESS_ROLE],
      useFactory: (
        transport: JobTransport,
        dispatcher: JobDispatcher,
        runner: JobRunner,
        registry: JobRegistry,
        config: AppConfig,
        role: ProcessRole,
      ): JobWorker =>
        new JobWorker(transport, dispatcher, runner, registry, {
          consume: role.runsJobs,
          concurrency: config.JOB_CONCURRENCY,
        }),
    },
  ],
  exports: [JobsService, JobRegistry, JOB_TRANSPORT],
})
export class JobsModule {}
