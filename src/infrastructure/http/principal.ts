import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { errors } from '../errors/app-error.js';

export type UserRole = 'USER' | 'ADMIN' | 'ENTERPRISE';
export type SubscriptionTier = 'free' | 'premium' | 'ultimate';

/** Who is behind an authenticated request, as the guard found it in the database a moment ago. */
export interface Principal {
  readonly userId: string;
  readonly email: string;
  readonly role: UserRole;
  readonly tier: SubscriptionTier;
  readonly via: 'session' | 'firebase' | 'apiKey';
  /** What the credential may be used for; a session may do everything. */
  readonly scopes: readonly string[];
}

export interface RequestWithPrincipal extends Request {
  principal?: Principal;
}

/** The authenticated caller, as a controller parameter. */
export const CurrentPrincipal = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Principal => {
    const principal = context.switchToHttp().getRequest<RequestWithPrincipal>().principal;
    if (!principal) throw errors.unauthenticated();
    return principal;
  },
);
