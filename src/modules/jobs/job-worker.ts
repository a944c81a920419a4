import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { JobTransport } from '../../infrastructure/queue/job-transport.js';
import type { JobDispatcher } from './job-dispatcher.js';
import type { JobRegistry } from './job-registry.js';
import type { JobRunner } from './job-runner.js';
import { sweepWorkFolders } from './work-folders.js';

/** What runs gets so long to end by itself when the process is told to stop (threat B15: exit within 25 s). */
export const DRAIN_MS = 12_000;
/** After that jobs are given back, which takes a statement each. */
const RELEASE_MS = 6_000;

export interface JobWorkerOptions {
  /** Whether this process works on jobs, or only hands them out. */
  consume: boolean;
  concurrency: number;
  drainMs?: number;
}

/** Starts and stops the job machine with its process. */
@Injectable()
export class JobWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private stopping: Promise<void> | null = null;

  constructor(
    private readonly transport: JobTransport,
    private readonly dispatcher: JobDispatcher,
    private readonly runner: JobRunner,
    private readonly registry: JobRegistry,
    private readonly options: JobWorkerOptions,
  ) {}

  /** @throws Error when the process should work on jobs and a kind of job has no handler */
  async onApplicationBootstrap(): Promise<void> {
    if (this.options.consume) {
      this.registry.assertComplete();
      await this.start();
      return;
    }
    // Without a consumer a queue in memory would only hide due rows from the processes that do work.
    if (this.transport.kind !== 'in-process') this.dispatcher.start();
  }

  /** Starts to work, with whatever handlers there are. */
  async start(): Promise<void> {
    await sweepWorkFolders();
    await this.transport.consume((message) => this.runner.execute(message), this.options.concurrency);
    this.dispatcher.start();
  }

  /** Takes no more jobs, lets those under way end, and gives back what has not ended in time. */
  onModuleDestroy(): Promise<void> {
    this.stopping ??= this.stop();
    return this.stopping;
  }

  private async stop(): Promise<void> {
    const drainMs = this.options.drainMs ?? DRAIN_MS;
    await this.dispatcher.stop();
    const release = setTimeout(() => this.runner.releaseAll(), drainMs);
    await this.transport.close({ drainMs: drainMs + RELEASE_MS });
    clearTimeout(release);
  }
}
