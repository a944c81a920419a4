import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { AuthenticatedRequest } from '../../infrastructure/auth/auth.guard.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { REQUIRED_FEATURE } from '../../infrastructure/http/route-access.js';
import { planIncludes } from './plan-features.js';

/** Enforces @RequireFeature (001-47). */
@Injectable()
export class FeatureGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const feature = this.reflector.getAllAndOverride<string | undefined>(REQUIRED_FEATURE, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!feature) return true;
    const account = context.switchToHttp().getRequest<AuthenticatedRequest>().account;
    if (!account) throw errors.unauthenticated();
    if (!planIncludes(account.tier, account.features, feature))
      throw errors.featureNotInPlan(feature, account.tier);
    return true;
  }
}
