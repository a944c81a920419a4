import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { createApplication } from './application.js';
import { ConfigurationError, loadConfig, type AppConfig } from './infrastructure/config/config.js';
import { UnsafeDatabaseError } from './infrastructure/database/boot-checks.js';
import { NestLogger } from './infrastructure/observability/nest-logger.js';
import { createRuntime, type ProcessRole, type Runtime } from './infrastructure/runtime.js';
import { printBanner } from './start-up/banner.js';
import { prepareInstallation } from './start-up/prepare-installation.js';
import { seedSamplesWhenEmpty } from './start-up/seed-samples.js';

/** After SIGTERM, requests and jobs under way have this long before the process ends all the same (threat B15: 25 s). */
const SHUTDOWN_LIMIT_MS = 25_000;

/**
 * Runs one process of the product until it is told to stop. Ends with exit code 1, and one clear message, when the
 * configuration or the database will not do.
 */
export async function runProcess(kind: 'api' | 'worker'): Promise<void> {
  const started = performance.now();
  let runtime: Runtime | undefined;
  try {
    const config = loadConfig();
    runtime = await createRuntime(config, roleOf(kind, config));
    await prepareInstallation(runtime);
    const stop = kind === 'api' ? await serve(runtime, started) : await work(runtime, started);
    stopOnSignals(runtime, stop);
  } catch (error) {
    await runtime?.close();
    reportStartFailure(error);
    process.exit(1);
  }
}

/** Without Redis the API process works on the jobs itself. */
function roleOf(kind: 'api' | 'worker', config: AppConfig): ProcessRole {
  if (kind === 'worker') return { name: 'worker', runsJobs: true };
  return config.REDIS_URL ? { name: 'api', runsJobs: false } : { name: 'all', runsJobs: true };
}

async function serve(runtime: Runtime, started: number): Promise<() => Promise<void>> {
  const { config, logger } = runtime;
  const { nest } = await createApplication(runtime);
  await nest.listen(config.PORT, config.HOST);
  const { port } = nest.getHttpServer().address() as AddressInfo;
  await printBanner(runtime, port, performance.now() - started);
  void seedSamplesWhenEmpty(nest, runtime).catch((error: Error) => {
    logger.error({ reason: error.message }, 'the sample library could not be put in');
  });
  return () => nest.close();
}

async function work(runtime: Runtime, started: number): Promise<() => Promise<void>> {
  const context = await NestFactory.createApplicationContext(AppModule.forRuntime(runtime), {
    logger: new NestLogger(runtime.logger),
    abortOnError: false,
  });
  runtime.logger.info({ startedInMs: Math.round(performance.now() - started) }, 'worker is ready');
  return () => context.close();
}

function stopOnSignals(runtime: Runtime, stop: () => Promise<void>): void {
  let stopping = false;
  const shutDown = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    runtime.logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), SHUTDOWN_LIMIT_MS).unref();
    await stop().catch((error: Error) => runtime.logger.error({ reason: error.message }, 'stopping failed'));
    await runtime.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void shutDown('SIGTERM'));
  process.on('SIGINT', () => void shutDown('SIGINT'));
}

function reportStartFailure(error: unknown): void {
  if (error instanceof ConfigurationError || error instanceof UnsafeDatabaseError) {
    console.error(`\nai-media-search does not start:\n${error.message}\n`);
  } else if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    console.error('\nai-media-search does not start: the port is taken. Set PORT to another one.\n');
  } else {
    console.error('\nai-media-search does not start:', error);
  }
}
