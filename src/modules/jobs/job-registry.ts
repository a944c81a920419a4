import { Injectable } from '@nestjs/common';
import { JOB_CATALOGUE, type JobHandler, type JobType } from './jobs.types.js';

/** The handlers of this process, one per kind of job. Modules add theirs in onModuleInit. */
@Injectable()
export class JobRegistry {
  private readonly handlers = new Map<string, JobHandler>();

  /** @throws Error when the kind has a handler already, or is not in the catalogue */
  register(handler: JobHandler): void {
    if (!(handler.jobType in JOB_CATALOGUE)) {
      throw new Error(`a handler was registered for ${handler.jobType}, which is not in the job catalogue`);
    }
    if (this.handlers.has(handler.jobType))
      throw new Error(`two handlers were registered for ${handler.jobType}`);
    this.handlers.set(handler.jobType, handler);
  }

  find(jobType: string): JobHandler | null {
    return this.handlers.get(jobType) ?? null;
  }

  /** @throws Error that names every kind of the catalogue without a handler */
  assertComplete(): void {
    const missing = (Object.keys(JOB_CATALOGUE) as JobType[]).filter(
      (jobType) => !this.handlers.has(jobType),
    );
    if (missing.length > 0) throw new Error(`no handler was registered for: ${missing.join(', ')}`);
  }
}
