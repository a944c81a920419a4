import { expect, it } from '@jest/globals';
import { startTestApp } from '../harness/app.js';
import { testDatabaseUrls } from '../harness/database.js';

it('C51: production says at its start that nothing protects the connections to the database', async () => {
  const { runtimeUrl } = await testDatabaseUrls();
  // The embedded engine listens on a Unix socket where the system has them: no network, so nothing to warn of.
  const isSocket = new URL(runtimeUrl).searchParams.has('host');
  const warnings: unknown[] = [];
  const write = (line: string): void => void warnings.push(JSON.parse(line));
  const app = await startTestApp(
    { NODE_ENV: 'production', DATABASE_SSL: 'disable', LOG_LEVEL: 'warn' },
    { jobs: false, logDestination: { write } },
  );
  await app.stop();
  const warning = { DATABASE_SSL: 'disable', msg: 'connections to the database are not encrypted' };
  const heard = warnings.filter((line) =>
    (line as typeof warning).msg.startsWith('connections to the database'),
  );
  expect(heard).toEqual(isSocket ? [] : [expect.objectContaining(warning)]);
});

it('C51: production does not start with a connection string that gives up verification by itself', async () => {
  const start = startTestApp({
    ...{ NODE_ENV: 'production', LOG_LEVEL: 'silent' },
    DATABASE_URL: 'postgresql://mediauser:secret@127.0.0.1:1/ai_media_search?sslmode=disable',
  });
  await expect(start).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringMatching(/DATABASE_URL: .*DATABASE_SSL=disable/),
  });
});
