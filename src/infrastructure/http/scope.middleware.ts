import type { NextFunction, Request, Response } from 'express';
import { v7 as uuidv7 } from 'uuid';
import { runInScope } from '../context/request-context.js';
import type { Metrics } from '../observability/metrics.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * First of all middleware: opens the AsyncLocalStorage scope of the request (design 3.1) and gives it an id. A UUID
 * in X-Request-Id is taken over, anything else is replaced: the id goes into logs and audit rows.
 */
export function scopeMiddleware(metrics: Metrics) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const given = request.header('x-request-id');
    const requestId = given && UUID.test(given) ? given.toLowerCase() : uuidv7();
    response.setHeader('X-Request-Id', requestId);
    const started = performance.now();
    response.once('close', () => {
      const route = (request.route as { path?: string } | undefined)?.path ?? 'unmatched';
      metrics.httpSeconds.observe(
        { method: request.method, route, status: response.statusCode },
        (performance.now() - started) / 1000,
      );
    });
    const userAgent = request.header('user-agent')?.slice(0, 500) ?? null;
    runInScope({ requestId, ipAddress: request.ip ?? null, userAgent, actor: null }, next);
  };
}
