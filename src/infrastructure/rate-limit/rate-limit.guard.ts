import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import type { AuthenticatedRequest } from '../auth/auth.guard.js';
import { errors } from '../errors/app-error.js';
import { RATE_BUCKET, type RateBucket } from '../http/route-access.js';
import { RATE_LIMITER } from '../infrastructure.tokens.js';
import type { RateLimiter } from './rate-limiter.js';

const HOUR_SECONDS = 3600;
/** Open routes have no plan: this many requests an hour from one address. */
const ANONYMOUS_PER_HOUR = 300;

/**
 * Hourly limits of the caller's plan (C67), after authentication and before any quota, so that a refused request
 * consumes nothing. Uploads and searches count against their own limit and against the plan's API limit. One that was
 * refused (a damaged file, a search with a typing error in its filter) is given back to its own limit: that one counts
 * uploads and searches, the API limit counts attempts.
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(RATE_LIMITER) private readonly limiter: RateLimiter,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const bucket =
      this.reflector.getAllAndOverride<RateBucket | undefined>(RATE_BUCKET, [
        context.getHandler(),
        context.getClass(),
      ]) ?? 'api';
    if (bucket === 'none') return true;
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const response = http.getResponse<Response>();
    const account = request.account;
    if (!account) {
      await this.consume(response, 'anonymous', `anonymous:${request.ip}`, ANONYMOUS_PER_HOUR);
      return true;
    }
    if (bucket !== 'api') {
      const key = `${bucket}:${account.userId}`;
      const limit = bucket === 'upload' ? account.uploadRateLimit : account.searchRateLimit;
      const entry = await this.consume(response, bucket, key, limit);
      response.once('close', () => {
        if (response.statusCode >= 400) void this.limiter.giveBack(key, entry);
      });
    }
    await this.consume(response, 'api', `api:${account.userId}`, account.apiRateLimit);
    return true;
  }

  private async consume(response: Response, bucket: string, key: string, limit: number): Promise<string> {
    const decision = await this.limiter.consume(key, limit, HOUR_SECONDS);
    // draft-ietf-httpapi-ratelimit-headers, in the three-header form that most clients read. A request that counts
    // against two limits shows the tighter one.
    const shown = response.getHeader('RateLimit-Remaining');
    if (!decision.allowed || shown === undefined || Number(shown) > decision.remaining) {
      response.setHeader('RateLimit-Limit', decision.limit);
      response.setHeader('RateLimit-Remaining', decision.remaining);
      response.setHeader('RateLimit-Reset', decision.allowed ? HOUR_SECONDS : decision.retryAfterSeconds);
    }
    if (!decision.allowed) throw errors.tooManyRequests(bucket, limit, decision.retryAfterSeconds);
    return decision.entry;
  }
}
