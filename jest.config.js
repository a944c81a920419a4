/**
 * One Jest configuration for every suite.
 * Unit specs live beside the code (src/**\/*.spec.ts); everything that needs a database lives in test/.
 * The database that test/ uses is chosen by TEST_DATABASE: "embedded" (default, PGlite) or "services".
 */
const swc = {
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: {
    // Sources import "./x.js" as NodeNext asks; Jest resolves the TypeScript file behind it.
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Properties draw the same cases in every run.
    '^fast-check$': '<rootDir>/test/harness/fast-check.mjs',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.data', '<rootDir>/.services'],
};

const onServices = process.env.TEST_DATABASE === 'services';

export default {
  // The suite waits for its own servers as much as it computes: one worker per core, not one less.
  maxWorkers: '100%',
  // Some tests start engines and programs, which takes a busy machine several times as long; none should come near this.
  testTimeout: 120_000,
  // A worker that has run dozens of files takes a while to give its memory back. What is still there after this has
  // something open, and Jest says so.
  workerGracefulExitTimeout: 15_000,
  reporters: ['default', '<rootDir>/test/harness/summary-reporter.mjs'],
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.spec.ts'] },
    {
      ...common,
      displayName: 'database',
      testMatch: ['<rootDir>/test/**/*.spec.ts'],
      // What only a real PostgreSQL or Redis can show runs in `npm run test:services`.
      testPathIgnorePatterns: ['/node_modules/', ...(onServices ? [] : ['<rootDir>/test/services-only/'])],
      globalSetup: '<rootDir>/test/harness/global-setup.mjs',
      globalTeardown: '<rootDir>/test/harness/global-teardown.mjs',
    },
  ],
};
