import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError, type PricedUsage } from '../../infrastructure/ai/ai.types.js';
import type { Database } from '../../infrastructure/database/database.js';
import { isUnavailable } from '../../infrastructure/database/sql-state.js';
import { COST_SERVICES } from '../../infrastructure/ai/vocabulary.js';
import type { UsageService } from '../billing/usage.service.js';
import type { Lease } from './job-lifecycle.js';
import type { Payer } from './jobs.types.js';
import { addJobCost } from './sql/lease.sql.js';

/** The ledger is worth some seconds of waiting for a database that is away: the money is spent. */
const RECORD_TRIES = 6;

/** The provider calls of one attempt: budget first, ledger afterwards, and the sum on the job's row. */
export class PaidCalls {
  private calls = 0;

  constructor(
    private readonly database: Database,
    private readonly costs: Pick<UsageService, 'assertBudget' | 'recordCost'>,
    private readonly lease: Lease,
  ) {}

  /**
   * @param estimate the most that the call can cost
   * @throws JobFailure `budget-exhausted` before the call; whatever the call throws, after what it cost was recorded
   */
  async make<T extends { usage: PricedUsage }>(
    estimate: PricedUsage,
    call: () => Promise<T>,
    payer: Payer = 'owner',
  ): Promise<T> {
    if (payer === 'owner') await this.costs.assertBudget(estimate);
    this.calls += 1;
    const callNumber = this.calls;
    try {
      const answer = await call();
      await this.record(estimate, booked(answer.usage, payer), callNumber);
      return answer;
    } catch (error) {
      if (error instanceof ProviderError && error.usage)
        await this.record(estimate, booked(error.usage, payer), callNumber);
      throw error;
    }
  }

  private async record(estimate: PricedUsage, usage: PricedUsage, callNumber: number): Promise<void> {
    const { userId, jobId, mediaFileId, fencingToken } = this.lease;
    // One charge per call even when this transaction is run again after its answer got lost. A provider that gives the
    // same request id to the same call of a later attempt has not charged it again; the id alone is not enough, because
    // a proxy that repeats one would swallow charges.
    const referenceId = usage.referenceId
      ? `${jobId}:${callNumber}:${usage.referenceId}`.slice(0, 255)
      : `${jobId}:${fencingToken}:${callNumber}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.database.runAs({ kind: 'user', userId }, async (tx) => {
          await this.costs.recordCost(tx, usage, {
            mediaFileId: mediaFileId ?? undefined,
            jobId,
            referenceId,
          });
          await tx.$executeRaw(addJobCost(userId, jobId, estimate.amount, usage.amount));
        });
        return;
      } catch (error) {
        if (!isUnavailable(error) || attempt >= RECORD_TRIES) throw error;
        await sleep(100 * 2 ** attempt);
      }
    }
  }
}

function booked(usage: PricedUsage, payer: Payer): PricedUsage {
  return payer === 'owner' ? usage : { ...usage, service: COST_SERVICES.reindexing };
}
