import { createApplication } from './application.js';
import { loadConfig } from './infrastructure/config/config.js';
import { createRuntime } from './infrastructure/runtime.js';
import { prepareInstallation } from './start-up/prepare-installation.js';
import { seedSamples } from './start-up/seed-samples.js';

/** `npm run db:seed`: puts the sample library into whatever database is configured; not in production. */
const config = loadConfig();
if (config.isProduction) {
  console.error(
    'The sample accounts are for trying things out: db:seed refuses to run with NODE_ENV=production.',
  );
  process.exit(1);
}
// The jobs are left to the running workers, or to the API process when it starts.
const runtime = await createRuntime(config, { name: 'api', runsJobs: false });
try {
  await prepareInstallation(runtime);
  const { nest } = await createApplication(runtime);
  await nest.listen(0, '127.0.0.1');
  try {
    await seedSamples(nest, runtime);
  } finally {
    await nest.close();
  }
} finally {
  await runtime.close();
}
