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
    // The application owns nothing and so cannot make tables: each deploy makes the partitions of the coming year. What
    // is searched after the last of them goes to the default partition.
    await withClient(url, (client) => client.query('SELECT create_search_history_partitions(12)'));
  }),
);
