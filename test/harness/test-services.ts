/** What the global set-up hands to the test processes, as JSON in TEST_SERVICES. */
export interface TestServices {
  kind: 'embedded' | 'services';
  /** Temporary folder of this test run. */
  runDir: string;
  /** Embedded: the prepared data folder. */
  templateDir?: string;
  /** Services: plain description of the throw-away cluster, see services/postgres.ts. */
  postgres?: import('./services/postgres.js').PostgresDescription;
  /** Services: name of the migrated template database. */
  templateDatabase?: string;
  redisUrl?: string;
}

export function testServices(): TestServices {
  const value = process.env['TEST_SERVICES'];
  if (!value)
    throw new Error('TEST_SERVICES is not set: run the tests through Jest with the project configuration');
  return JSON.parse(value) as TestServices;
}

export const onServices = (): boolean => testServices().kind === 'services';
