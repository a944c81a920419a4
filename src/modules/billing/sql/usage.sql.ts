import type { PricedUsage } from '../../../infrastructure/ai/ai.types.js';
import { COST_SERVICES } from '../../../infrastructure/ai/vocabulary.js';
import { prepared } from '../../../infrastructure/database/prepared.js';
import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** The limits of a user's plan that are in force, with the user's own quota override and counters. */
export interface PlanRow {
  tierName: 'free' | 'premium' | 'ultimate';
  maxUploadsPerMonth: number | null;
  maxSearchesPerMonth: number | null;
  /** Already the override where an administrator set one (C08). */
  maxStorageBytes: bigint | null;
  maxFileSizeBytes: bigint | null;
  maxVideoDurationSeconds: number | null;
  priorityLevel: number;
  featuresEnabled: string[];
  aiFeaturesEnabled: string[];
  maxMonthlyCost: string | null;
  costAlertThreshold: string;
  apiRateLimit: number;
  uploadRateLimit: number;
  searchRateLimit: number;
  supportLevel: string;
  uploadsThisMonth: number;
  searchesThisMonth: number;
  storageUsedBytes: bigint;
  billingPeriodStart: Date;
  billingPeriodEnd: Date;
}

export const planOf = (userId: string): Prisma.Sql =>
  prepared(Prisma.sql`
  SELECT l.tier_name AS "tierName", l.max_uploads_per_month AS "maxUploadsPerMonth",
    l.max_searches_per_month AS "maxSearchesPerMonth",
    coalesce(u.storage_quota_bytes_override, l.max_storage_bytes) AS "maxStorageBytes",
    l.max_file_size_bytes AS "maxFileSizeBytes", l.max_video_duration_seconds AS "maxVideoDurationSeconds",
    l.priority_level AS "priorityLevel", l.features_enabled AS "featuresEnabled",
    l.ai_features_enabled AS "aiFeaturesEnabled", l.max_monthly_cost::text AS "maxMonthlyCost",
    l.cost_alert_threshold::text AS "costAlertThreshold", l.api_rate_limit AS "apiRateLimit",
    l.upload_rate_limit AS "uploadRateLimit", l.search_rate_limit AS "searchRateLimit", l.support_level AS "supportLevel",
    u.uploads_this_month AS "uploadsThisMonth", u.searches_this_month AS "searchesThisMonth",
    u.storage_used_bytes AS "storageUsedBytes", u.billing_period_start AS "billingPeriodStart",
    u.billing_period_end AS "billingPeriodEnd"
  FROM users u JOIN current_usage_limits l ON l.tier_name = u.subscription_tier
  WHERE u.id = ${userId}::uuid AND u.deleted_at IS NULL`);

/** Moves the user's billing period on when it has run out (C23); a no-op otherwise. */
export const rollBillingPeriod = (userId: string): Prisma.Sql =>
  prepared(Prisma.sql`
  SELECT reset_monthly_usage(u.id) FROM users u WHERE u.id = ${userId}::uuid AND u.billing_period_end <= now()`);

/**
 * Exact to the minute: the column is indexed, and a row whose indexed columns stay as they are is updated without touching
 * any of its table's indexes.
 */
const NOTE_ACTIVITY = Prisma.sql`last_activity_at = CASE WHEN u.last_activity_at < now() - interval '1 minute' THEN now()
    ELSE u.last_activity_at END`;

/**
 * Takes one upload of the month, if one is left: one statement, so that any number of requests at once get exactly the
 * limit (threat B11; a check followed by an insert let 12 to 50 of 500 through at a limit of 10). No row = used up.
 */
export const takeUpload = (userId: string): Prisma.Sql => Prisma.sql`
  UPDATE users u SET uploads_this_month = u.uploads_this_month + 1, ${NOTE_ACTIVITY}
  FROM current_usage_limits l
  WHERE u.id = ${userId}::uuid AND l.tier_name = u.subscription_tier
    AND (l.max_uploads_per_month IS NULL OR u.uploads_this_month < l.max_uploads_per_month)
  RETURNING u.billing_period_start AS "billingPeriodStart"`;

/** Takes one search of the month, if one is left. No row = used up, or the billing period has run out. */
export const takeSearch = (userId: string): Prisma.Sql => Prisma.sql`
  UPDATE users u SET searches_this_month = u.searches_this_month + 1, ${NOTE_ACTIVITY}
  FROM current_usage_limits l
  WHERE u.id = ${userId}::uuid AND l.tier_name = u.subscription_tier
    AND u.billing_period_end > now()
    AND (l.max_searches_per_month IS NULL OR u.searches_this_month < l.max_searches_per_month)
  RETURNING u.billing_period_start AS "billingPeriodStart"`;

/**
 * Locks the user's row and tells whether `bytes` more fit. The lock is held to the end of the transaction, in which the
 * file is inserted and the storage trigger adds its bytes, so two uploads cannot both take the last space.
 */
export const lockStorage = (userId: string, bytes: bigint): Prisma.Sql => Prisma.sql`
  SELECT (limit_bytes IS NULL OR used.storage_used_bytes + ${bytes} <= limit_bytes) AS "fits", limit_bytes AS "limitBytes"
  FROM (SELECT * FROM users WHERE id = ${userId}::uuid FOR UPDATE) used
  CROSS JOIN LATERAL (
    SELECT coalesce(used.storage_quota_bytes_override, l.max_storage_bytes) AS limit_bytes
    FROM current_usage_limits l WHERE l.tier_name = used.subscription_tier
  ) quota`;

const MONTHLY_COUNTERS = {
  uploads: Prisma.sql`uploads_this_month`,
  searches: Prisma.sql`searches_this_month`,
};

/** Gives one upload or search back, unless its billing period is over. */
export function giveBack(
  counter: keyof typeof MONTHLY_COUNTERS,
  userId: string,
  billingPeriodStart: Date,
): Prisma.Sql {
  const column = MONTHLY_COUNTERS[counter];
  return Prisma.sql`
  UPDATE users SET ${column} = greatest(0, ${column} - 1)
  WHERE id = ${userId}::uuid AND billing_period_start = ${billingPeriodStart}`;
}

/** One provider call as the ledger has it. */
export interface CostRow {
  id: string;
  userId: string;
  usage: PricedUsage;
  mediaFileId: string | null;
  processingJobId: string | null;
  referenceId: string | null;
  incurredAt: Date;
}

/**
 * Provider calls (one at least), each in its calendar month in UTC (C76) and in its user's billing period (C22). A second
 * one with its reference changes nothing.
 */
export const insertCosts = (rows: CostRow[]): Prisma.Sql => Prisma.sql`
  INSERT INTO cost_tracking (id, user_id, service_name, operation_type, amount, currency, billing_unit, units_consumed,
    media_file_id, processing_job_id, reference_id, billing_period_month, billing_period_year, billing_period_start,
    service_metadata, incurred_at)
  VALUES ${Prisma.join(rows.map(costValues), ',\n    ')}
  ON CONFLICT DO NOTHING`;

function costValues({ usage, incurredAt, ...row }: CostRow): Prisma.Sql {
  const metadata = {
    model: usage.model,
    ...(usage.referenceId ? { providerRequestId: usage.referenceId } : {}),
  };
  return Prisma.sql`(${row.id}::uuid, ${row.userId}::uuid, ${usage.service}, ${usage.operation}, ${usage.amount}::numeric,
    ${usage.currency}, ${usage.billingUnit}, ${usage.units}::numeric, ${row.mediaFileId}::uuid,
    ${row.processingJobId}::uuid, ${row.referenceId}, ${incurredAt.getUTCMonth() + 1}::integer,
    ${incurredAt.getUTCFullYear()}::integer, (${periodStartOf(row.userId, incurredAt)}), ${JSON.stringify(metadata)}::jsonb,
    ${incurredAt}::timestamptz)`;
}

/** Where a period has run out and was not moved on yet, the next one begins. */
const periodStartOf = (userId: string, at: Date): Prisma.Sql => Prisma.sql`
  SELECT CASE WHEN ${at}::timestamptz < billing_period_end THEN billing_period_start ELSE billing_period_end END
  FROM users WHERE id = ${userId}::uuid`;

/**
 * What provider calls have cost in the user's billing period, in one currency. Re-embedding is the operator's act: it is in
 * the ledger and not in the budget.
 */
export const costOfPeriod = (userId: string, since: Date, currency: string): Prisma.Sql =>
  prepared(Prisma.sql`
  SELECT coalesce(sum(amount), 0)::text AS amount FROM cost_tracking
  WHERE user_id = ${userId}::uuid AND incurred_at >= ${since} AND currency = ${currency}
    AND service_name <> ${COST_SERVICES.reindexing}`);

/** Whether one more call of this price stays within the budget; decided in NUMERIC, never in binary fractions. */
export const withinBudget = (spent: string, amount: string, budget: string): Prisma.Sql => Prisma.sql`
  SELECT (${spent}::numeric + ${amount}::numeric <= ${budget}::numeric) AS within`;
