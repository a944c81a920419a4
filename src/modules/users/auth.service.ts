import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { AccessTokens } from '../../infrastructure/auth/access-tokens.js';
import { AccountMemory } from '../../infrastructure/auth/account-memory.js';
import { normalizeEmail } from '../../infrastructure/auth/email.js';
import {
  findAccount,
  resolveIdentity,
  type AccountRow,
} from '../../infrastructure/auth/identity.repository.js';
import { Passwords } from '../../infrastructure/auth/passwords.js';
import type { AppConfig } from '../../infrastructure/config/config.js';
import { currentScope } from '../../infrastructure/context/request-context.js';
import { Database } from '../../infrastructure/database/database.js';
import { sqlStateOf } from '../../infrastructure/database/sql-state.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { APP_CONFIG, RATE_LIMITER } from '../../infrastructure/infrastructure.tokens.js';
import type { RateLimiter } from '../../infrastructure/rate-limit/rate-limiter.js';
import { AuditService } from '../audit/audit.service.js';
import type { LoginRequest, RegisterRequest, SessionResponse } from './dto/auth.dto.js';
import { issueRefreshToken, lockRefreshToken, revokeFamily, toSession } from './sessions.js';

/** Failed log-ins for one address from one place before it has to wait (threat C5). */
const LOGIN_ATTEMPTS = 10;
/** Log-ins from one place, whatever the address: stops lists of stolen passwords at the 101st. */
const LOGIN_ATTEMPTS_PER_PLACE = 100;
const LOGIN_WINDOW_SECONDS = 900;

/** Local accounts: registration, log-in, sessions with rotating refresh tokens. */
@Injectable()
export class AuthService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Passwords) private readonly passwords: Passwords,
    @Inject(AccessTokens) private readonly tokens: AccessTokens,
    @Inject(AuditService) private readonly audit: AuditService,
    @Inject(AccountMemory) private readonly accounts: AccountMemory<object>,
    @Inject(RATE_LIMITER) private readonly limiter: RateLimiter,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** @throws AppError 400 for an invalid address, 409 `email-taken` */
  async register(request: RegisterRequest): Promise<SessionResponse> {
    const email = normalizeEmail(request.email);
    if (!email) throw errors.validation([{ pointer: '/email', detail: 'email must be an e-mail address' }]);
    const secretHash = await this.passwords.hash(request.password);
    const userId = uuidv7();
    const familyId = uuidv7();
    try {
      const refreshToken = await this.database.runAsSystem('auth.register', async (tx) => {
        await tx.user.create({
          data: { id: userId, email, displayName: request.displayName?.trim() || null },
        });
        await tx.authIdentity.create({
          data: { userId, id: uuidv7(), provider: 'local', subject: email, secretHash },
          select: { id: true },
        });
        await this.audit.record(tx, {
          eventType: 'auth.registered',
          category: 'auth',
          action: 'create',
          target: { type: 'user', id: userId },
          userId,
        });
        return issueRefreshToken(tx, userId, familyId, this.config.REFRESH_TOKEN_SECONDS);
      });
      return await toSession(
        this.tokens,
        { userId, email, role: 'USER', tier: 'free' },
        familyId,
        refreshToken,
      );
    } catch (error) {
      if (sqlStateOf(error) === '23505') {
        throw errors.conflict('email-taken', 'There is an account with this e-mail address. Log in instead.');
      }
      throw error;
    }
  }

  /** @throws AppError 401 `invalid-credentials` (one answer for unknown and wrong), 403 suspended, 429 */
  async login(request: LoginRequest): Promise<SessionResponse> {
    const email = normalizeEmail(request.email) ?? request.email.trim().toLowerCase();
    await this.limitLogins(email);
    const found = await this.database.runAsSystem('auth.authenticate', async (tx) => {
      const identity = await resolveIdentity(tx, 'local', email);
      return { identity, account: identity ? await findAccount(tx, identity.userId) : null };
    });
    const matched = await this.passwords.matches(
      found.account ? (found.identity?.secretHash ?? null) : null,
      request.password,
    );
    const account = found.account;
    if (!matched || !account) {
      await this.recordFailure(found.identity?.userId ?? null);
      throw errors.invalidCredentials();
    }
    if (account.status === 'suspended') throw errors.accountSuspended();
    return this.openSession(account);
  }

  /**
   * Replaces a refresh token. A token that was used before has been stolen or lost: its whole family ends.
   * @throws AppError 401
   */
  async refresh(refreshToken: string): Promise<SessionResponse> {
    const renewed = await this.database.runAsSystem('auth.authenticate', async (tx) => {
      const row = await lockRefreshToken(tx, refreshToken);
      if (!row || row.revokedAt || row.expiresAt.getTime() <= Date.now()) return null;
      if (row.usedAt) {
        await revokeFamily(tx, row.userId, row.familyId);
        await this.audit.record(tx, {
          eventType: 'auth.refresh-token-reused',
          category: 'security',
          action: 'revoke',
          userId: row.userId,
          riskLevel: 'high',
          description: 'A replaced refresh token was used again; the session was ended.',
        });
        return 'ended' as const;
      }
      const account = await findAccount(tx, row.userId);
      if (!account || account.status === 'suspended') return null;
      await tx.refreshToken.updateMany({
        where: { userId: row.userId, id: row.id },
        data: { usedAt: new Date() },
      });
      const next = await issueRefreshToken(tx, row.userId, row.familyId, this.config.REFRESH_TOKEN_SECONDS);
      return { account, familyId: row.familyId, next };
    });
    if (renewed === 'ended') this.accounts.forget();
    if (renewed === null || renewed === 'ended') {
      throw errors.unauthenticated('The refresh token is not valid any more. Log in again.');
    }
    return toSession(this.tokens, renewed.account, renewed.familyId, renewed.next);
  }

  /** Ends the session of a refresh token, access tokens included. Unknown tokens are no error. */
  async logout(refreshToken: string): Promise<void> {
    const hasEnded = await this.database.runAsSystem('auth.authenticate', async (tx) => {
      const row = await lockRefreshToken(tx, refreshToken);
      if (row) await revokeFamily(tx, row.userId, row.familyId);
      return row !== null;
    });
    if (hasEnded) this.accounts.forget();
  }

  private async openSession(account: AccountRow): Promise<SessionResponse> {
    const familyId = uuidv7();
    const refreshToken = await this.database.runAsSystem('auth.authenticate', async (tx) => {
      await tx.authIdentity.updateMany({
        where: { userId: account.userId, provider: 'local' },
        data: { lastUsedAt: new Date() },
      });
      await this.audit.record(tx, {
        eventType: 'auth.logged-in',
        category: 'auth',
        action: 'login',
        userId: account.userId,
      });
      return issueRefreshToken(tx, account.userId, familyId, this.config.REFRESH_TOKEN_SECONDS);
    });
    return toSession(this.tokens, account, familyId, refreshToken);
  }

  private async limitLogins(email: string): Promise<void> {
    const place = currentScope()?.ipAddress ?? 'unknown';
    for (const [key, limit] of [
      [`login:${place}:${email}`, LOGIN_ATTEMPTS],
      [`login:${place}`, LOGIN_ATTEMPTS_PER_PLACE],
    ] as const) {
      const decision = await this.limiter.consume(key, limit, LOGIN_WINDOW_SECONDS);
      if (!decision.allowed) {
        throw errors.tooManyRequests('log-in', limit, decision.retryAfterSeconds);
      }
    }
  }

  /** Written for unknown addresses as well, so that both take the same time. */
  private async recordFailure(userId: string | null): Promise<void> {
    await this.database.runAsSystem('auth.authenticate', (tx) =>
      this.audit.record(tx, {
        eventType: 'auth.login-failed',
        category: 'security',
        action: 'login',
        ...(userId ? { userId } : {}),
        riskLevel: 'medium',
      }),
    );
  }
}
