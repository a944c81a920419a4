export { APP_CONFIG } from './config/config.js';
export { LOGGER } from './observability/logger.js';
export { AI_PROVIDERS } from './ai/create-ai-providers.js';
/** Injection token of the object store (ObjectStorage). */
export const OBJECT_STORAGE = Symbol('OBJECT_STORAGE');
/** Injection token of the installation's secret for signatures (string). */
export const SIGNING_SECRET = Symbol('SIGNING_SECRET');
/** Injection token of the sliding-window rate limiter (RateLimiter). */
export const RATE_LIMITER = Symbol('RATE_LIMITER');
/** Injection token of what this process is for (ProcessRole). */
export const PROCESS_ROLE = Symbol('PROCESS_ROLE');
