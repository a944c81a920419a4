import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Database } from '../database/database.js';
import { errors } from '../errors/app-error.js';
import type { Principal, RequestWithPrincipal } from '../http/principal.js';
import { ROUTE_ACCESS, SCOPES, type RouteAccess } from '../http/route-access.js';
import { AccessTokens } from './access-tokens.js';
import { AccountMemory } from './account-memory.js';
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

/** Who is behind a credential, and what it may be used for. */
export interface Authenticated {
  account: AccountRow;
  scopes: readonly string[];
}

/**
 * Authenticates every route that is not public. The user is read from the database, so that a suspended or deleted account
 * is refused, and so that role and plan are never believed from a token: for routes of administrators and those for the
 * user in person each time, for the others what was read within the last second counts (AccountMemory).
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Database) private readonly database: Database,
    @Inject(AccessTokens) private readonly accessTokens: AccessTokens,
    @Inject(AccountMemory) private readonly memory: AccountMemory<Authenticated>,
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
    const { account, via, scopes } = await this.authenticate(request, access.kind === 'scope');
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

  /** @param mayRemember whether what was found a moment ago will do */
  private async authenticate(
    request: AuthenticatedRequest,
    mayRemember: boolean,
  ): Promise<Authenticated & { via: Principal['via'] }> {
    const apiKey = request.header('x-api-key');
    const [scheme, token, ...rest] = (request.header('authorization') ?? '').split(' ');
    if (apiKey !== undefined && scheme)
      throw errors.unauthenticated('Send either Authorization or X-API-Key, not both.');
    const find = (credential: string, look: () => Promise<Authenticated | null>) =>
      mayRemember ? this.memory.find(credential, look) : look();
    if (apiKey !== undefined) return this.byApiKey(apiKey, find);
    if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0 || token.length > 8192)
      throw errors.unauthenticated();
    return this.byBearer(token, find);
  }

  private async byApiKey(
    key: string,
    find: AccountMemory<Authenticated>['find'],
  ): Promise<Authenticated & { via: 'apiKey' }> {
    if (!isWellFormedApiKey(key)) throw errors.unauthenticated('The API key is not valid.');
    const hash = hashSecret(key);
    const found = await find(`key ${hash}`, () => this.lookUpApiKey(hash));
    if (!found) throw errors.unauthenticated('The API key is not valid.');
    return { ...found, via: 'apiKey' };
  }

  private lookUpApiKey(hash: string): Promise<Authenticated | null> {
    return this.database.runAsSystem('auth.authenticate', async (tx) => {
      const row = await findAccountByApiKey(tx, hash);
      if (!row) return null;
      const lastUsed = row.lastUsedAt?.getTime() ?? 0;
      if (Date.now() - lastUsed > TOUCH_INTERVAL_MS) await touchApiKey(tx, row.userId, row.keyId);
      return { account: row, scopes: row.scopes };
    });
  }

  private async byBearer(
    token: string,
    find: AccountMemory<Authenticated>['find'],
  ): Promise<Authenticated & { via: 'session' | 'firebase' }> {
    const claims = await this.accessTokens.verify(token).catch(() => null);
    if (claims) {
      const { userId, sessionId } = claims;
      const found = await find(`session ${sessionId} ${userId}`, () => this.lookUpSession(userId, sessionId));
      if (!found) throw errors.unauthenticated('The session has ended. Log in again.');
      return { ...found, via: 'session' };
    }
    const account = await this.firebase?.accountOf(token);
    if (!account)
      throw errors.unauthenticated('The token is not valid or has expired. Log in or refresh it.');
    return { account, via: 'firebase', scopes: SCOPES };
  }

  private async lookUpSession(userId: string, sessionId: string): Promise<Authenticated | null> {
    const account = await this.database.runAsSystem(
      'auth.authenticate',
      (tx) => findSessionAccount(tx, userId, sessionId),
      { readOnly: true, single: true },
    );
    return account && { account, scopes: SCOPES };
  }
}
