import { pino, type DestinationStream, type Logger } from 'pino';
import { currentScope } from '../context/request-context.js';

/** Injection token of the process' logger. */
export const LOGGER = Symbol('LOGGER');
export type { Logger };

/** Where secrets could stand in what is logged (threat C20). Values are replaced, not shortened. */
const REDACTED_PATHS = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-api-key"]',
  'res.headers["set-cookie"]',
  '*.password',
  '*.accessToken',
  '*.refreshToken',
  '*.token',
  '*.secret',
  '*.apiKey',
];

/**
 * JSON lines, each with the request id and the user id of the scope it was written in.
 * @param name which process: api or worker
 * @param destination standard output when left out
 */
export function createLogger(level: string, name: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    name,
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    mixin: () => {
      const scope = currentScope();
      return scope ? { requestId: scope.requestId, userId: scope.actor?.userId ?? undefined } : {};
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
