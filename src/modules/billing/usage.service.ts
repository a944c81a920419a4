import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { PricedUsage } from '../../infrastructure/ai/ai.types.js';
import { currentUserId } from '../../infrastructure/context/current-user.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { Prisma } from '../../infrastructure/database/generated/client.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { JobFailure } from '../jobs/jobs.types.js';
import type { UsageResponse } from './dto/usage.dto.js';
import {
  costOfPeriod,
  giveBack,
  insertCosts,
  lockStorage,
  planOf,
  rollBillingPeriod,
  takeSearch,
  takeUpload,
  withinBudget,
  type PlanRow,
} from './sql/usage.sql.js';

/** A slot is held this long; an upload that takes longer than an hour has been given up. */
const RESERVATION_MS = 3_600_000;
const CURRENCY = 'USD';

/** The limits of the caller's plan that are in force. `null` = unlimited. */
export interface PlanLimits {
  tierName: 'free' | 'premium' | 'ultimate';
  maxUploadsPerMonth: number | null;
  maxSearchesPerMonth: number | null;
  maxStorageBytes: number | null;
  maxFileSizeBytes: number | null;
  maxVideoDurationSeconds: number | null;
  priorityLevel: number;
  featuresEnabled: string[];
  aiFeaturesEnabled: string[];
  /** Decimal string in USD. */
  maxMonthlyCost: string | null;
  apiRateLimit: number;
  uploadRateLimit: number;
  searchRateLimit: number;
  supportLevel: string;
}

/** What a provider call was for. */
export interface CostReference {
  mediaFileId?: string;
  jobId?: string;
  referenceId?: string;
}

/** What the current user has used, may use, and takes: reserve first, commit with the thing it is for, or give back (C68). */
@Injectable()
export class UsageService {
  constructor(@Inject(Database) private readonly database: Database) {}

  async planLimits(): Promise<PlanLimits> {
    const row = await this.database.run((tx) => this.plan(tx));
    return {
      tierName: row.tierName,
      maxUploadsPerMonth: row.maxUploadsPerMonth,
      maxSearchesPerMonth: row.maxSearchesPerMonth,
      maxStorageBytes: toNumber(row.maxStorageBytes),
      maxFileSizeBytes: toNumber(row.maxFileSizeBytes),
      maxVideoDurationSeconds: row.maxVideoDurationSeconds,
      priorityLevel: row.priorityLevel,
      featuresEnabled: row.featuresEnabled,
      aiFeaturesEnabled: row.aiFeaturesEnabled,
      maxMonthlyCost: row.maxMonthlyCost,
      apiRateLimit: row.apiRateLimit,
      uploadRateLimit: row.uploadRateLimit,
      searchRateLimit: row.searchRateLimit,
      supportLevel: row.supportLevel,
    };
  }

  /**
   * Takes one upload of the month and a reservation that expires in an hour. Give it back with `releaseUpload`, or
   * turn it into a file with `commitUpload`.
   * @throws AppError 402 `quota-exceeded` when none is left or the storage is full already
   */
  async reserveUpload(): Promise<{ reservationId: string }> {
    const userId = currentUserId();
    const reservationId = uuidv7();
    await this.database.run(async (tx) => {
      await tx.$queryRaw(rollBillingPeriod(userId));
      const [slot] = await tx.$queryRaw<{ billingPeriodStart: Date }[]>(takeUpload(userId));
      const plan = await this.plan(tx);
      if (!slot) throw errors.quotaExceeded('uploads', plan.maxUploadsPerMonth ?? 0, plan.billingPeriodEnd);
      if (plan.maxStorageBytes !== null && plan.storageUsedBytes >= plan.maxStorageBytes) {
        throw errors.quotaExceeded('storage', Number(plan.maxStorageBytes), null);
      }
      await tx.uploadReservation.create({
        data: {
          userId,
          id: reservationId,
          billingPeriodStart: slot.billingPeriodStart,
          expiresAt: new Date(Date.now() + RESERVATION_MS),
        },
      });
    });
    return { reservationId };
  }

  /** Notes where the file is about to be stored, so that a sweep finds it when the process dies before the commit. */
  async noteStorageKey(reservationId: string, storageKey: string): Promise<void> {
    const userId = currentUserId();
    await this.database.run((tx) =>
      tx.uploadReservation.updateMany({ where: { userId, id: reservationId }, data: { storageKey } }),
    );
  }

  /**
   * Turns a reservation into the file that the same transaction inserts.
   * @param sizeBytes size of the original
   * @throws AppError 402 `quota-exceeded` (storage) when the file does not fit; 409 when the reservation has expired
   */
  async commitUpload(tx: Transaction, reservationId: string, sizeBytes: number): Promise<void> {
    const userId = currentUserId();
    await this.assertStorage(tx, sizeBytes);
    const { count } = await tx.uploadReservation.deleteMany({ where: { userId, id: reservationId } });
    if (count === 0)
      throw errors.conflict('upload-expired', 'The upload took too long. Send the file again.');
  }

  /**
   * Locks the user's storage and makes sure that `sizeBytes` more fit; the lock holds to the end of the transaction.
   * @throws AppError 402 `quota-exceeded` (storage)
   */
  async assertStorage(tx: Transaction, sizeBytes: number): Promise<void> {
    const [storage] = await tx.$queryRaw<{ fits: boolean; limitBytes: bigint | null }[]>(
      lockStorage(currentUserId(), BigInt(sizeBytes)),
    );
    if (!storage?.fits) throw errors.quotaExceeded('storage', Number(storage?.limitBytes ?? 0), null);
  }

  /** Gives a reserved upload back. Doing it twice, or after the commit, changes nothing. */
  async releaseUpload(reservationId: string): Promise<void> {
    const userId = currentUserId();
    await this.database.run((tx) => releaseReservation(tx, userId, reservationId));
  }

  /**
   * Takes one search of the month; joins the caller's transaction, if there is one.
   * @returns the billing period that it was taken from, for `releaseSearch`
   * @throws AppError 402 `quota-exceeded`
   */
  async chargeSearch(): Promise<Date> {
    const userId = currentUserId();
    return this.database.run(async (tx) => {
      const take = async (): Promise<Date | undefined> =>
        (await tx.$queryRaw<{ billingPeriodStart: Date }[]>(takeSearch(userId)))[0]?.billingPeriodStart;
      const taken = await take();
      if (taken) return taken;
      await tx.$queryRaw(rollBillingPeriod(userId));
      const takenAnew = await take();
      if (takenAnew) return takenAnew;
      const plan = await this.plan(tx);
      throw errors.quotaExceeded('searches', plan.maxSearchesPerMonth ?? 0, plan.billingPeriodEnd);
    });
  }

  /** Gives a search back that came to nothing through no fault of the caller; not when its period is over. */
  async releaseSearch(billingPeriodStart: Date): Promise<void> {
    const userId = currentUserId();
    await this.database.run((tx) => tx.$executeRaw(giveBack('searches', userId, billingPeriodStart)));
  }

  /**
   * Makes sure that a provider call of this price fits into the plan's monthly budget.
   * @param options.forSearch the call is made for a search that is going to be charged: where none is left of the month,
   *   nothing is to be paid for it
   * @throws JobFailure `budget-exhausted`: not retryable before the next period; AppError 402 when no search is left
   */
  async assertBudget(estimate: PricedUsage, options: { forSearch?: boolean } = {}): Promise<void> {
    if (Number(estimate.amount) === 0) return;
    const userId = currentUserId();
    await this.database.run(async (tx) => {
      await tx.$queryRaw(rollBillingPeriod(userId));
      const plan = await this.plan(tx);
      const { maxSearchesPerMonth } = plan;
      // The charge itself decides; this one is there to save the money.
      if (
        options.forSearch &&
        maxSearchesPerMonth !== null &&
        plan.searchesThisMonth >= maxSearchesPerMonth
      ) {
        throw errors.quotaExceeded('searches', maxSearchesPerMonth, plan.billingPeriodEnd);
      }
      if (plan.maxMonthlyCost === null) return;
      const [cost] = await tx.$queryRaw<{ amount: string }[]>(
        costOfPeriod(userId, plan.billingPeriodStart, estimate.currency),
      );
      const [answer] = await tx.$queryRaw<{ within: boolean }[]>(
        withinBudget(cost?.amount ?? '0', estimate.amount, plan.maxMonthlyCost),
      );
      if (answer?.within) return;
      throw new JobFailure(
        'budget-exhausted',
        `The AI budget of the plan (${plan.maxMonthlyCost} ${estimate.currency} per period) is used up.`,
        false,
        `Retry after ${plan.billingPeriodEnd.toISOString()}, or choose a larger plan.`,
      );
    });
  }

  /** Writes one provider call into the ledger. A second record with the same referenceId changes nothing. */
  async recordCost(tx: Transaction, usage: PricedUsage, reference: CostReference): Promise<void> {
    await tx.$executeRaw(this.costsStatement([{ usage, ...reference }])!);
  }

  /** The same for several calls, to be run as part of a larger statement. Null for none. */
  costsStatement(calls: ({ usage: PricedUsage } & CostReference)[]): Prisma.Sql | null {
    if (calls.length === 0) return null;
    const userId = currentUserId();
    return insertCosts(
      calls.map(({ usage, mediaFileId = null, jobId = null, referenceId = null }) => ({
        ...{ id: uuidv7(), userId, usage, mediaFileId, processingJobId: jobId, referenceId },
        incurredAt: new Date(),
      })),
    );
  }

  /**
   * Takes one search of the month as part of a larger statement: it returns a row if there was one left. Without a row
   * the billing period may merely have run out; `chargeSearch` tells.
   */
  chargeStatement(): Prisma.Sql {
    return takeSearch(currentUserId());
  }

  /** `GET /v1/me/usage` */
  async usage(): Promise<UsageResponse> {
    const userId = currentUserId();
    return this.database.run(async (tx) => {
      await tx.$queryRaw(rollBillingPeriod(userId));
      const plan = await this.plan(tx);
      const [cost] = await tx.$queryRaw<{ amount: string }[]>(
        costOfPeriod(userId, plan.billingPeriodStart, CURRENCY),
      );
      const storageLimit = toNumber(plan.maxStorageBytes);
      const usedBytes = Number(plan.storageUsedBytes);
      return {
        tier: plan.tierName,
        period: { start: plan.billingPeriodStart.toISOString(), end: plan.billingPeriodEnd.toISOString() },
        uploads: counter(plan.uploadsThisMonth, plan.maxUploadsPerMonth),
        searches: counter(plan.searchesThisMonth, plan.maxSearchesPerMonth),
        storage: {
          usedBytes,
          limitBytes: storageLimit,
          remainingBytes: storageLimit === null ? null : Math.max(0, storageLimit - usedBytes),
        },
        cost: { amount: cost?.amount ?? '0', limit: plan.maxMonthlyCost, currency: CURRENCY },
        rateLimits: { api: plan.apiRateLimit, upload: plan.uploadRateLimit, search: plan.searchRateLimit },
      };
    });
  }

  private async plan(tx: Transaction): Promise<PlanRow> {
    const [row] = await tx.$queryRaw<PlanRow[]>(planOf(currentUserId()));
    if (!row) throw errors.notFound('account');
    return row;
  }
}

/** Removes a reservation and gives its slot back; nothing happens when it is gone already. Shared with the sweep. */
export async function releaseReservation(
  tx: Transaction,
  userId: string,
  reservationId: string,
): Promise<boolean> {
  const reservation = await tx.uploadReservation.findFirst({ where: { userId, id: reservationId } });
  if (!reservation) return false;
  const { count } = await tx.uploadReservation.deleteMany({ where: { userId, id: reservationId } });
  if (count === 0) return false;
  await tx.$executeRaw(giveBack('uploads', userId, reservation.billingPeriodStart));
  return true;
}

const toNumber = (value: bigint | null): number | null => (value === null ? null : Number(value));

const counter = (
  used: number,
  limit: number | null,
): { used: number; limit: number | null; remaining: number | null } => ({
  used,
  limit,
  remaining: limit === null ? null : Math.max(0, limit - used),
});
