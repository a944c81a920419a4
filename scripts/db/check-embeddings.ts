/**
 * npm run db:check-embeddings: has every searchable file vectors? For each embedding model, with the first of the files
 * that lack them. Ends with status 1 when there is one for the active model. --json prints the figures for a program.
 */
import { runScript, withClient, withOwnerConnection } from './connection.js';
import { embeddingChecks, formatEmbeddingChecks } from './embedding-check.js';

await runScript(() =>
  withOwnerConnection(({ url }) =>
    withClient(url, async (client) => {
      const checks = await embeddingChecks(client);
      console.log(
        process.argv.includes('--json') ? JSON.stringify(checks, null, 2) : formatEmbeddingChecks(checks),
      );
      if (checks.some(({ state, missingFiles }) => state === 'active' && missingFiles > 0))
        process.exitCode = 1;
    }),
  ),
);
