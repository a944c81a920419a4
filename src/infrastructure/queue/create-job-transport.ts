import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import { BullTransport } from './bull-transport.js';
import { InProcessTransport } from './in-process-transport.js';
import type { JobTransport } from './job-transport.js';

/** Bull when REDIS_URL is set, the queue in memory otherwise. */
export function createJobTransport(
  config: Pick<AppConfig, 'REDIS_URL' | 'JOB_LEASE_SECONDS'>,
  logger: Logger,
): JobTransport {
  if (!config.REDIS_URL) return new InProcessTransport();
  return new BullTransport({ redisUrl: config.REDIS_URL, leaseSeconds: config.JOB_LEASE_SECONDS, logger });
}
