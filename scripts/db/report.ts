/** npm run db:report: table sizes, index use, slow queries. --json prints the figures for a program. */
import { databaseReport, formatReport } from './database-report.js';
import { runScript, withClient, withOwnerConnection } from './connection.js';

await runScript(() =>
  withOwnerConnection(({ url }) =>
    withClient(url, async (client) => {
      const report = await databaseReport(client);
      console.log(process.argv.includes('--json') ? JSON.stringify(report, null, 2) : formatReport(report));
    }),
  ),
);
