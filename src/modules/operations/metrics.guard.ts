import { createHash, timingSafeEqual } from 'node:crypto';
import {
  Inject,
  Injectable,
  NotFoundException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request } from 'express';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { APP_CONFIG } from '../../infrastructure/infrastructure.tokens.js';

/**
 * Who may read the figures: whoever has METRICS_TOKEN, which is Prometheus and not a user. They tell of everybody's
 * work, so without a token there are none in production; on a developer's machine they are open.
 */
@Injectable()
export class MetricsGuard implements CanActivate {
  constructor(
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'METRICS_TOKEN' | 'isProduction'>,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const expected = this.config.METRICS_TOKEN;
    if (expected === undefined) {
      // As for a path that does not exist.
      if (this.config.isProduction) throw new NotFoundException();
      return true;
    }
    const header = context.switchToHttp().getRequest<Request>().header('authorization') ?? '';
    const given = /^bearer +(\S+)$/i.exec(header)?.[1];
    if (given === undefined || !isSame(given, expected)) {
      throw errors.unauthenticated('The figures take "Authorization: Bearer" with the METRICS_TOKEN.');
    }
    return true;
  }
}

/** By their hashes, which are of one length: the time it takes tells nothing of the token, nor of its length. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
}
