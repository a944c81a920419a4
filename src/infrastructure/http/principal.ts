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

/** Of a form that came with an Idempotency-Key. What it holds is known only once its files have been read. */
export interface FormIdempotency {
  /** A request with this key has been answered: nothing is to be done again. */
  readonly isRepeat: boolean;
  /**
   * To be called when the form has been read, before anything comes of it.
   * @param content stands for all that the form holds
   * @throws RepeatedAnswer when the key has an answer; AppError 422 when it was sent with another form
   */
  confirm(content: string): Promise<void>;
}

export interface RequestWithPrincipal extends Request {
  principal?: Principal;
  formIdempotency?: FormIdempotency;
}

/** The authenticated caller, as a controller parameter. */
export const CurrentPrincipal = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Principal => {
    const principal = context.switchToHttp().getRequest<RequestWithPrincipal>().principal;
    if (!principal) throw errors.unauthenticated();
    return principal;
  },
);
