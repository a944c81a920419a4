import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Database } from '../database/database.js';
import { errors } from '../errors/app-error.js';
import type { Principal, RequestWithPrincipal } from '../http/principal.js';
import { ROUTE_ACCESS, SCOPES, type RouteAccess } from '../http/route-access.js';
import { AccessTokens } from './access-tokens.js';
import { hashSecret, isWellFormedApiKey } from './api-key-format.js';
import {
  findAccountByApiKey,
  findSessionAccount,
  touchApiKey,
  type AccountRow,
} from './identity.repository.js';
import { FIREBASE_SIGN_IN, type FirebaseSignIn } from './firebase-sign-in.js';

/** A key's "last used" is for people: once a minute is exact enough, and saves a write per request. */
const TOUCH_INTERVAL_MS = 60_000;

export interface AuthenticatedRequest extends RequestWithPrincipal {
  /** The hourly limits of the caller's plan and its features, for the guards that follow. */
  account?: AccountRow;
}

/**
 * Authenticates every route that is not public. The user is read from the database each time, so that a suspended or
 * deleted account is refused at once, and so that role and plan are never believed from a token.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Database) private readonly database: Database,
    @Inject(AccessTokens) private readonly accessTokens: AccessTokens,
    @Inject(FIREBASE_SIGN_IN) private readonly firebase: FirebaseSignIn | null,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access?.kind === 'public') return true;
    // A route that says nothing about its access is closed to everybody.
    if (!access) throw errors.forbidden('This route is not open.');

    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { account, via, scopes } = await this.authenticate(request);
    if (account.status === 'suspended') throw errors.accountSuspended();
    if (access.kind === 'admin' && (account.role !== 'ADMIN' || via === 'apiKey')) {
      throw errors.forbidden('This route is for administrators.');
    }
    if (access.kind === 'session' && via === 'apiKey') {
      throw errors.forbidden('This route takes no API key. Log in instead.');
    }
    if (access.kind === 'scope' && !scopes.includes(access.scope)) {
      throw errors.forbidden(`The API key lacks the scope ${access.scope}.`);
    }
    request.account = account;
    request.principal = Object.freeze<Principal>({
      userId: account.userId,
      email: account.email,
      role: account.role,
      tier: account.tier,
      via,
      scopes,
    });
    return true;
  }

  private async authenticate(
    request: AuthenticatedRequest,
  ): Promise<{ account: AccountRow; via: Principal['via']; scopes: readonly string[] }> {
    const apiKey = request.header('x-api-key');
    const [scheme, token, ...rest] = (request.header('authorization') ?? '').split(' ');
    if (apiKey !== undefined && scheme)
      throw errors.unauthenticated('Send either Authorization or X-API-Key, not both.');
    if (apiKey !== undefined) return this.byApiKey(apiKey);
    if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0 || token.length > 8192)
      throw errors.unauthenticated();
    return this.byBearer(token);
  }

  private async byApiKey(
    key: string,
  ): Promise<{ account: AccountRow; via: 'apiKey'; scopes: readonly string[] }> {
    if (!isWellFormedApiKey(key)) throw errors.unauthenticated('The API key is not valid.');
    const found = await this.database.runAsSystem('auth.authenticate', async (tx) => {
      const row = await findAccountByApiKey(tx, hashSecret(key));
      const lastUsed = row?.lastUsedAt?.getTime() ?? 0;
      if (row && Date.now() - lastUsed > TOUCH_INTERVAL_MS) await touchApiKey(tx, row.userId, row.keyId);
      return row;
    });
    if (!found) throw errors.unauthenticated('The API key is not valid.');
    return { account: found, via: 'apiKey', scopes: found.scopes };
  }

  private async byBearer(
    token: string,
  ): Promise<{ account: AccountRow; via: 'session' | 'firebase'; scopes: readonly string[] }> {
    const claims = await this.accessTokens.verify(token).catch(() => null);
    if (claims) {
      const account = await this.database.runAsSystem(
        'auth.authenticate',
        (tx) => findSessionAccount(tx, claims.userId, claims.sessionId),
        { readOnly: true, single: true },
      );
      if (!account) throw errors.unauthenticated('The session has ended. Log in again.');
      return { account, via: 'session', scopes: SCOPES };
    }
    const account = await this.firebase?.accountOf(token);
    if (!account)
      throw errors.unauthenticated('The token is not valid or has expired. Log in or refresh it.');
    return { account, via: 'firebase', scopes: SCOPES };
  }
}
