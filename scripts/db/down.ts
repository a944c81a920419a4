/**
 * npm run db:migrate:down: takes the newest applied migration back by its down.sql and forgets it, in one transaction.
 * Data in what it drops are lost, so production asks for --yes.
 */
import { newestAppliedMigration, takeBack } from './take-back.js';
import { MIGRATIONS_DIR, runScript, ScriptError, withClient, withOwnerConnection } from './connection.js';

await runScript(() =>
  withOwnerConnection(async ({ url, isProduction }) => {
    if (isProduction && !process.argv.includes('--yes')) {
      throw new ScriptError(
        'Taking a migration back loses data. In production say so: npm run db:migrate:down -- --yes',
      );
    }
    await withClient(url, async (client) => {
      const name = await newestAppliedMigration(client);
      if (!name) throw new ScriptError('No migration is applied.');
      await takeBack(client, name, MIGRATIONS_DIR);
      console.log(`Took back ${name}. Apply it again with: npm run db:migrate`);
    });
  }),
);
