/**
 * npm run db:test: does the database answer, is pgvector there, is the schema there (000-26, with the faulty statements
 * of the document mended, C50). Prints one line per check; ends with status 1 when one fails.
 */
import { runScript, ScriptError, withClient, withOwnerConnection } from './connection.js';

const CHECKS: [name: string, sql: string, isGood: (value: string) => boolean][] = [
  ['PostgreSQL', `SELECT current_setting('server_version')`, (version) => Number.parseInt(version, 10) >= 15],
  [
    'pgvector',
    `SELECT extversion FROM pg_extension WHERE extname = 'vector'`,
    (version) => /^(0\.([89]|\d\d)|[1-9])/.test(version),
  ],
  // The document's vector_dims($1) is ambiguous since pgvector 0.7: the type must be named.
  ['vector dimensions', `SELECT vector_dims('[1,2,3]'::vector)`, (dimensions) => dimensions === '3'],
  [
    'tables',
    `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
    (count) => Number(count) >= 20,
  ],
  [
    'indexes named idx_*',
    `SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx\\_%'`,
    (count) => Number(count) >= 40,
  ],
  [
    'policies',
    `SELECT count(*) FROM pg_policies WHERE schemaname = 'public'`,
    (count) => Number(count) >= 60,
  ],
  ['plans in force', 'SELECT count(*) FROM current_usage_limits', (count) => count === '3'],
];

await runScript(() =>
  withOwnerConnection(({ url }) =>
    withClient(url, async (client) => {
      let failed = 0;
      for (const [name, sql, isGood] of CHECKS) {
        const value = await client
          .query<string[]>({ text: sql, rowMode: 'array' })
          .then(({ rows }) => String(rows[0]?.[0] ?? 'none'))
          .catch((error: Error) => error.message);
        const good = isGood(value);
        if (!good) failed += 1;
        console.log(`${good ? 'ok  ' : 'FAIL'} ${name}: ${value}`);
      }
      if (failed > 0)
        throw new ScriptError(
          `${failed} of ${CHECKS.length} checks failed. Is the database migrated? npm run db:migrate`,
        );
    }),
  ),
);
