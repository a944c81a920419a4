import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { startPostgres, type ThrowawayPostgres } from './services/postgres.js';
import { startRedis, type ThrowawayRedis } from './services/redis.js';
import type { TestServices } from './test-services.js';

const TEMPLATE_DATABASE = 'test_template';

let postgres: ThrowawayPostgres | undefined;
let redis: ThrowawayRedis | undefined;

/** Starts PostgreSQL and Redis for one test run and migrates the template database as the owner role. */
export async function startServices(projectDir: string): Promise<Partial<TestServices>> {
  postgres = await startPostgres();
  await postgres.createDatabase(TEMPLATE_DATABASE);
  await runPrismaCli(['migrate', 'deploy'], postgres.ownerUrl(TEMPLATE_DATABASE), projectDir);
  redis = await startRedis();
  return {
    kind: 'services',
    postgres: postgres.description,
    templateDatabase: TEMPLATE_DATABASE,
    redisUrl: redis.url,
  };
}

export async function stopServices(): Promise<void> {
  await redis?.stop();
  await postgres?.stop();
}
