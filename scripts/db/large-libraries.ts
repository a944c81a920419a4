/**
 * npm run db:large-libraries: gives the largest libraries an HNSW index of their own and drops those no longer of use.
 * Run it as the owner of the tables, now and then (a weekly cron). Options: --min-vectors N, --max-indexes N, --drop-all.
 */
import { runScript, ScriptError, withClient, withOwnerConnection } from './connection.js';
import { dropLargeLibraryIndexes, refreshLargeLibraryIndexes } from './large-library-indexes.js';

function numberOption(name: string): number | undefined {
  const index = process.argv.indexOf(name);
  if (index < 0) return undefined;
  const value = Number(process.argv[index + 1]);
  if (!Number.isSafeInteger(value) || value < 0) throw new ScriptError(`${name} takes a whole number.`);
  return value;
}

await runScript(() =>
  withOwnerConnection(({ url }) =>
    withClient(url, async (client) => {
      if (process.argv.includes('--drop-all')) {
        console.log(`${(await dropLargeLibraryIndexes(client)).length} indexes dropped`);
        return;
      }
      const { made, kept, dropped } = await refreshLargeLibraryIndexes(client, {
        minVectors: numberOption('--min-vectors'),
        maxIndexes: numberOption('--max-indexes'),
      });
      for (const { indexName, vectors } of made) console.log(`made ${indexName} over ${vectors} vectors`);
      console.log(`${made.length} made, ${kept.length} kept, ${dropped.length} dropped`);
    }),
  ),
);
