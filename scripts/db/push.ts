/**
 * npm run db:push: tries a change of prisma/schema on a development database without writing a migration. Refuses
 * NODE_ENV=production. Prisma knows columns only: it would drop the hand-made indexes, so it stops and asks for
 * --accept-data-loss where it would; policies, triggers and functions come from migrations alone.
 */
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import {
  PROJECT_DIR,
  refuseInProduction,
  runScript,
  ScriptError,
  withOwnerConnection,
} from './connection.js';

await runScript(() =>
  withOwnerConnection(async (connection) => {
    refuseInProduction(connection, 'npm run db:push');
    const flags = process.argv.includes('--accept-data-loss') ? ['--accept-data-loss'] : [];
    try {
      console.log(
        (await runPrismaCli(['db', 'push', '--skip-generate', ...flags], connection.url, PROJECT_DIR)).trim(),
      );
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Seen with Prisma 6.19 on a migrated database: its engine stops while it compares.
      if (message.includes('RuntimeError: unreachable')) {
        throw new ScriptError(
          "Prisma's engine cannot compare prisma/schema with a database that has this product's hand-made objects. " +
            'Nothing was changed. Write the change as SQL in a new folder of prisma/migrations and run npm run db:migrate.',
        );
      }
      throw new ScriptError(message);
    }
  }),
);
