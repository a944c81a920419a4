import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../src/infrastructure/database/database.js';
import { insertCosts, type CostRow } from '../../src/modules/billing/sql/usage.sql.js';
import { addUser } from '../factories/rows.js';
import { connectAsSuperuser, connectTestDatabase } from '../harness/database.js';
import { asUser } from './search-fixtures.js';

const PERIOD = {
  billing_anchor_at: '2026-01-15T08:00:00Z',
  billing_period_start: '2026-01-15T08:00:00Z',
  billing_period_end: '2026-02-15T08:00:00Z',
};

describe('what a provider call costs, in the ledger', () => {
  let superuser: pg.Client;
  let database: Database;
  beforeAll(async () => {
    superuser = await connectAsSuperuser();
    database = await connectTestDatabase();
  });
  afterAll(async () => {
    await superuser.end();
    await database.end();
  });

  const call = (userId: string, incurredAt: string): CostRow => ({
    ...{ id: uuidv7(), userId, mediaFileId: null, processingJobId: null, referenceId: incurredAt },
    incurredAt: new Date(incurredAt),
    usage: {
      ...{ service: 'openai_gpt', operation: 'analyze_image', model: 'm', currency: 'USD' },
      ...{ billingUnit: 'per_token', units: 10, amount: '0.25' },
    },
  });

  it.each([
    ['2026-01-31T23:30:00.000Z', 2026, 1, PERIOD.billing_period_start],
    ['2026-02-01T00:30:00.000Z', 2026, 2, PERIOD.billing_period_start],
    ['2026-02-15T07:59:59.999Z', 2026, 2, PERIOD.billing_period_start],
    // The period has run out, and nobody has moved it on yet.
    ['2026-02-15T08:00:00.000Z', 2026, 2, PERIOD.billing_period_end],
  ])(
    'C22, C76: a call at %s is one of %d-%d in UTC, and of the billing period of %s',
    async (at, year, month, start) => {
      const userId = await addUser(superuser, PERIOD);
      await addUser(superuser, { billing_period_start: '2026-01-20', billing_period_end: '2026-02-20' });
      const written = await asUser(userId, () =>
        database.run((tx) => tx.$executeRaw(insertCosts([call(userId, at), call(userId, at)]))),
      );
      // Both have the reference of one call.
      expect(written).toBe(1);
      const { rows } = await superuser.query(
        `SELECT billing_period_year AS year, billing_period_month AS month, billing_period_start AS start, incurred_at AS at
       FROM cost_tracking WHERE user_id = $1`,
        [userId],
      );
      expect(rows).toEqual([{ year, month, start: new Date(start), at: new Date(at) }]);
    },
  );
});
