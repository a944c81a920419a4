import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { loadConfig } from './infrastructure/config/config.js';
import { NestLogger } from './infrastructure/observability/nest-logger.js';
import { createRuntime } from './infrastructure/runtime.js';
import { MaintenanceService } from './modules/operations/maintenance.service.js';

/** `npm run maintenance:run <name>`: one piece of housekeeping, by hand or from cron. */
const runtime = await createRuntime(loadConfig(), { name: 'api', runsJobs: false });
try {
  const context = await NestFactory.createApplicationContext(AppModule.forRuntime(runtime), {
    logger: new NestLogger(runtime.logger),
    abortOnError: false,
  });
  try {
    const name = process.argv[2] ?? '';
    console.log(`${name}: ${await context.get(MaintenanceService).run(name)} changed`);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  } finally {
    await context.close();
  }
} finally {
  await runtime.close();
}
