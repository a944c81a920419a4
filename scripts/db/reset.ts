/**
 * npm run db:reset: empties the database (schema public) and applies every migration anew. For development: refuses
 * NODE_ENV=production. Roles and extensions stay; files in storage stay as well.
 */
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { newestAppliedMigration, takeBack } from './take-back.js';
import {
  MIGRATIONS_DIR,
  PROJECT_DIR,
  refuseInProduction,
  runScript,
  withClient,
  withOwnerConnection,
} from './connection.js';

await runScript(() =>
  withOwnerConnection(async (connection) => {
    refuseInProduction(connection, 'npm run db:reset');
    // Step by step through the tested down.sql files: dropping the schema would take the extensions along, which the
    // owner of a managed database may not be able to bring back.
    await withClient(connection.url, async (client) => {
      for (
        let name = await newestAppliedMigration(client);
        name;
        name = await newestAppliedMigration(client)
      ) {
        await takeBack(client, name, MIGRATIONS_DIR);
      }
    });
    console.log((await runPrismaCli(['migrate', 'deploy'], connection.url, PROJECT_DIR)).trim());
  }),
);
