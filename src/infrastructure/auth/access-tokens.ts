import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';

const ISSUER = 'ai-media-search';
const AUDIENCE = 'ai-media-search-api';
/** RFC 9068: the type of a JWT access token. A token of another type is refused. */
const TYPE = 'at+jwt';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface AccessTokenClaims {
  userId: string;
  /** Family of the refresh tokens that this session goes back to. */
  sessionId: string;
}

interface VerifiedToken {
  claims: AccessTokenClaims;
  expiresAtMs: number;
}

/** Tokens whose signature was checked, remembered so that a busy session's is not computed with every request. */
const MAX_KNOWN_TOKENS = 2_000;

/** Signs and checks the product's own access tokens: HS256, one issuer, one audience, one type. */
export class AccessTokens {
  private readonly key: Uint8Array;
  /** Only what passed; the same token under the same key always does, until it expires. */
  private readonly known = new LRUCache<string, VerifiedToken>({ max: MAX_KNOWN_TOKENS });

  constructor(
    secret: string,
    readonly lifetimeSeconds: number,
  ) {
    this.key = new TextEncoder().encode(secret);
  }

  async sign(claims: AccessTokenClaims): Promise<string> {
    return new SignJWT({ sid: claims.sessionId })
      .setProtectedHeader({ alg: 'HS256', typ: TYPE })
      .setSubject(claims.userId)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${this.lifetimeSeconds}s`)
      .sign(this.key);
  }

  /** @throws whatever jose throws: wrong signature, algorithm, issuer, audience, type, or expired */
  async verify(token: string): Promise<AccessTokenClaims> {
    const known = this.known.get(token);
    if (known && known.expiresAtMs > Date.now()) return known.claims;
    const verified = await this.check(token);
    this.known.set(token, verified);
    return verified.claims;
  }

  private async check(token: string): Promise<VerifiedToken> {
    const { payload } = await jwtVerify(token, this.key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: TYPE,
      requiredClaims: ['sub', 'sid', 'exp', 'iat'],
    });
    const [userId, sessionId] = [String(payload.sub), String(payload['sid'])];
    if (!UUID.test(userId) || !UUID.test(sessionId)) throw new Error('the token names no user or session');
    return { claims: { userId, sessionId }, expiresAtMs: Number(payload.exp) * 1_000 };
  }
}
