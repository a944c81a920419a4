import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { ProviderError, type PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { Database } from '../../infrastructure/database/database.js';
import { LOGGER } from '../../infrastructure/infrastructure.tokens.js';
import { UsageService } from '../billing/usage.service.js';
import { JobFailure } from '../jobs/jobs.types.js';
import { SemanticUnavailableError } from './query-embedder.js';

/** The provider calls of one search by picture or composed search. Never made inside a transaction. */
@Injectable()
export class PaidQueryCalls {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(UsageService) private readonly usage: UsageService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Budget first, then the call, then the ledger, also for a call that failed and is billed all the same.
   * @param reference names the call in the ledger: one charge, however often it is written
   * @param estimate the most that the call can cost
   * @param options.forSearch a search is going to be charged: without one left of the month, nothing is to be paid for it
   * @throws AppError 402 when no search is left; SemanticUnavailableError when the month's budget is spent or the provider fails; ProviderError
   *   `provider-bad-input` when there is nothing in the input to work on; ProviderError `provider-cancelled`
   */
  async make<T extends { usage: PricedUsage }>(
    reference: string,
    estimate: PricedUsage,
    call: () => Promise<T>,
    options: { forSearch?: boolean } = {},
  ): Promise<T> {
    try {
      await this.usage.assertBudget(estimate, options);
    } catch (error) {
      if (error instanceof JobFailure)
        throw new SemanticUnavailableError('budget', undefined, { cause: error });
      throw error;
    }
    let answer: T;
    try {
      answer = await call();
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.usage) await this.record(error.usage, reference);
      if (error.code === 'provider-bad-input' || error.code === 'provider-cancelled') throw error;
      // Never what was asked.
      this.logger.warn({ code: error.code, hint: error.hint }, 'provider call of a search failed');
      throw new SemanticUnavailableError('provider', undefined, { cause: error });
    }
    await this.record(answer.usage, reference);
    return answer;
  }

  private async record(usage: PricedUsage, referenceId: string): Promise<void> {
    await this.database.run((tx) => this.usage.recordCost(tx, usage, { referenceId }));
  }
}
