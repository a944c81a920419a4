import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { AccountMemory } from '../../infrastructure/auth/account-memory.js';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import { Prisma } from '../../infrastructure/database/generated/client.js';
import type { UsageLimitModel as UsageLimit } from '../../infrastructure/database/generated/models.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import type { SubscriptionTier } from '../../infrastructure/http/principal.js';
import { AuditService } from '../audit/audit.service.js';
import type { UsageLimitsResponse, UsageLimitsUpdate } from './dto/usage-limits.dto.js';

const TIERS: readonly SubscriptionTier[] = ['free', 'premium', 'ultimate'];

/** Reads and changes the limits of the plans. */
@Injectable()
export class UsageLimitsService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(AuditService) private readonly audit: AuditService,
    @Inject(AccountMemory) private readonly accounts: AccountMemory<object>,
  ) {}

  /** The plans as they are in force, smallest first. Open to everybody: it is the price list. */
  async listPlans(): Promise<{ items: UsageLimitsResponse[] }> {
    const rows = await this.database.runAsSystem('start-up', (tx) => limitsInForce(tx));
    return { items: TIERS.flatMap((tier) => rows.filter((row) => row.tierName === tier)).map(toResponse) };
  }

  /** @throws AppError 404 for an unknown tier */
  async read(tier: string): Promise<UsageLimitsResponse> {
    return this.database.run(async (tx) => toResponse(await findInForce(tx, parseTier(tier))));
  }

  /**
   * Puts new limits in force at once (hourly limits and features within a second in other processes), keeps the old ones as history (C24), and writes the audit row in the same
   * transaction.
   * @throws AppError 404 for an unknown tier
   */
  async replace(tier: string, update: UsageLimitsUpdate): Promise<UsageLimitsResponse> {
    const tierName = parseTier(tier);
    const replaced = await this.database.run(async (tx) => {
      // Two administrators at once: one after the other.
      await tx.$queryRaw(
        Prisma.sql`SELECT pg_advisory_xact_lock(hashtext('usage_limits'), hashtext(${tierName}))::text`,
      );
      const before = await findInForce(tx, tierName);
      // Milliseconds, as the column keeps them: rounded up, the new row would not be in force for a moment.
      const [clock] = await tx.$queryRaw<{ now: Date }[]>(
        Prisma.sql`SELECT date_trunc('milliseconds', now()) AS now`,
      );
      const now = new Date(Math.max(clock?.now.getTime() ?? 0, before.effectiveFrom.getTime() + 1));
      await tx.usageLimit.update({ where: { id: before.id }, data: { effectiveUntil: now } });
      const created = await tx.usageLimit.create({
        data: {
          id: uuidv7(),
          tierName,
          maxUploadsPerMonth: update.maxUploadsPerMonth,
          maxSearchesPerMonth: update.maxSearchesPerMonth,
          maxStorageBytes: toBigInt(update.maxStorageBytes),
          maxFileSizeBytes: toBigInt(update.maxFileSizeBytes),
          maxVideoDurationSeconds: update.maxVideoDurationSeconds,
          priorityLevel: update.priorityLevel,
          featuresEnabled: update.featuresEnabled,
          aiFeaturesEnabled: update.aiFeaturesEnabled,
          maxMonthlyCost: update.maxMonthlyCost,
          costAlertThreshold: update.costAlertThreshold,
          apiRateLimit: update.apiRateLimit,
          uploadRateLimit: update.uploadRateLimit,
          searchRateLimit: update.searchRateLimit,
          supportLevel: update.supportLevel,
          effectiveFrom: now,
        },
      });
      const [oldValues, newValues] = [toResponse(before), toResponse(created)];
      await this.audit.record(tx, {
        eventType: 'usage-limits.changed',
        category: 'admin',
        action: 'update',
        target: { type: 'usage_limits', id: created.id },
        description: `Limits of the ${tierName} plan`,
        oldValues: { ...oldValues },
        newValues: { ...newValues },
        riskLevel: 'high',
      });
      return newValues;
    });
    this.accounts.forget();
    return replaced;
  }
}

function limitsInForce(tx: Transaction, tier?: SubscriptionTier): Promise<UsageLimit[]> {
  const now = new Date();
  return tx.usageLimit.findMany({
    where: {
      ...(tier ? { tierName: tier } : {}),
      effectiveFrom: { lte: now },
      OR: [{ effectiveUntil: null }, { effectiveUntil: { gt: now } }],
    },
    orderBy: { effectiveFrom: 'desc' },
  });
}

async function findInForce(tx: Transaction, tier: SubscriptionTier): Promise<UsageLimit> {
  const [row] = await limitsInForce(tx, tier);
  if (!row) throw errors.notFound('plan');
  return row;
}

function parseTier(tier: string): SubscriptionTier {
  const known = TIERS.find((candidate) => candidate === tier);
  if (!known) throw errors.notFound('plan');
  return known;
}

const toBigInt = (value: number | null): bigint | null => (value === null ? null : BigInt(value));
const toNumber = (value: bigint | null): number | null => (value === null ? null : Number(value));

function toResponse(row: UsageLimit): UsageLimitsResponse {
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
    maxMonthlyCost: row.maxMonthlyCost?.toFixed(2) ?? null,
    costAlertThreshold: row.costAlertThreshold.toNumber(),
    apiRateLimit: row.apiRateLimit,
    uploadRateLimit: row.uploadRateLimit,
    searchRateLimit: row.searchRateLimit,
    supportLevel: row.supportLevel,
    effectiveFrom: row.effectiveFrom.toISOString(),
    effectiveUntil: row.effectiveUntil?.toISOString() ?? null,
  };
}
