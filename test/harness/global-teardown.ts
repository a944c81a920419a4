import { rm } from 'node:fs/promises';
import { testServices } from './test-services.js';

export default async function globalTeardown(): Promise<void> {
  const services = testServices();
  if (services.kind === 'services') {
    const { stopServices } = await import('./start-services.js');
    await stopServices();
  }
  await rm(services.runDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
