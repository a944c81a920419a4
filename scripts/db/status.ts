/** npm run db:migrate:status: which migrations are applied. Ends with status 1 when some are not. */
import { runPrismaCli } from '../../src/infrastructure/database/migrate.js';
import { PROJECT_DIR, runScript, ScriptError, withOwnerConnection } from './connection.js';

await runScript(() =>
  withOwnerConnection(async ({ url }) => {
    try {
      console.log((await runPrismaCli(['migrate', 'status'], url, PROJECT_DIR)).trim());
    } catch (error) {
      throw new ScriptError(error instanceof Error ? error.message : String(error));
    }
  }),
);
