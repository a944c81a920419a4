/**
 * npm run db:migrate (also db:migrate:deploy): applies the migrations that are missing. Safe to repeat, safe in
 * production (C32). Without a database URL it migrates the embedded database of DATA_DIR.
 */
import { describeDatabase } from '../../src/infrastructure/database/pool.js';
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { PROJECT_DIR, runScript, withClient, withOwnerConnection } from './connection.js';

await runScript(() =>
  withOwnerConnection(async ({ url, embedded }) => {
    console.log(`Migrating ${embedded ? 'the embedded database' : describeDatabase(url)}`);
    console.log((await runPrismaCli(['migrate', 'deploy'], url, PROJECT_DIR)).trim());
    // As the maintenance does every hour, for installations where none runs.
    await withClient(url, (client) => client.query('SELECT create_search_history_partitions()'));
  }),
);
