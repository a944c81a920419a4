import { v7 as uuidv7 } from 'uuid';
import type { Database, Transaction } from '../database/database.js';
import { sqlStateOf } from '../database/sql-state.js';
import { normalizeEmail } from './email.js';
import type { FirebaseIdentity, FirebaseTokens } from './firebase-tokens.js';
import { findAccount, resolveIdentity, type AccountRow } from './identity.repository.js';

/** Injection token; null when FIREBASE_PROJECT_ID is not set. */
export const FIREBASE_SIGN_IN = Symbol('FIREBASE_SIGN_IN');

/** Turns a Firebase ID token into an account; the first valid token of a person creates it. */
export class FirebaseSignIn {
  constructor(
    private readonly database: Database,
    private readonly tokens: FirebaseTokens,
  ) {}

  /** The account behind the token, or null when the token is not valid or names an address that is not its to claim. */
  async accountOf(token: string): Promise<AccountRow | null> {
    const identity = await this.tokens.verify(token).catch(() => null);
    if (!identity) return null;
    const known = await this.database.runAsSystem('auth.authenticate', async (tx) => {
      const found = await resolveIdentity(tx, 'firebase', identity.subject);
      return found ? { account: await findAccount(tx, found.userId) } : null;
    });
    // A known identity whose account is deleted stays out.
    if (known) return known.account;
    try {
      return await this.database.runAsSystem('auth.register', (tx) => this.create(tx, identity));
    } catch (error) {
      // Two first requests at the same time: the other one made it.
      if (sqlStateOf(error) !== '23505') throw error;
      return this.database.runAsSystem('auth.authenticate', async (tx) => {
        const found = await resolveIdentity(tx, 'firebase', identity.subject);
        return found ? findAccount(tx, found.userId) : null;
      });
    }
  }

  private async create(tx: Transaction, identity: FirebaseIdentity): Promise<AccountRow | null> {
    const email = normalizeEmail(identity.email);
    if (!email) return null;
    const existing = await tx.user.findFirst({
      where: { email },
      select: { id: true, firebaseUid: true, deletedAt: true },
    });
    // An existing account is joined only when Firebase vouches for the address; otherwise anybody could claim it.
    if (existing && (!identity.emailVerified || existing.deletedAt)) return null;
    const userId = existing?.id ?? uuidv7();
    if (existing) {
      await tx.user.update({
        where: { id: userId },
        data: { firebaseUid: identity.subject, emailVerified: true },
      });
    } else {
      await tx.user.create({
        data: {
          id: userId,
          email,
          emailVerified: identity.emailVerified,
          firebaseUid: identity.subject,
          displayName: identity.displayName,
        },
      });
    }
    await tx.authIdentity.create({
      data: { userId, id: uuidv7(), provider: 'firebase', subject: identity.subject },
      select: { id: true },
    });
    return findAccount(tx, userId);
  }
}
