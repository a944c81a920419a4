import { createRemoteJWKSet, jwtVerify } from 'jose';

export interface FirebaseIdentity {
  subject: string;
  email: string;
  emailVerified: boolean;
  displayName: string | null;
}

/**
 * Checks Firebase ID tokens against the published keys (JWKS). Keys are cached; an unknown key id asks for new ones at
 * most every 30 s, so that a flood of forged ids causes no flood of requests (threat C2).
 */
export class FirebaseTokens {
  private readonly keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(
    private readonly projectId: string,
    jwksUrl: string,
  ) {
    // Keys that were fetched keep serving for a day when the publisher cannot be reached.
    this.keys = createRemoteJWKSet(new URL(jwksUrl), {
      cooldownDuration: 30_000,
      timeoutDuration: 5_000,
      cacheMaxAge: 86_400_000,
    });
  }

  /** @throws whatever jose throws, or Error when the token names no e-mail address */
  async verify(token: string): Promise<FirebaseIdentity> {
    const { payload } = await jwtVerify(token, this.keys, {
      algorithms: ['RS256'],
      issuer: `https://securetoken.google.com/${this.projectId}`,
      audience: this.projectId,
      requiredClaims: ['sub', 'exp', 'iat', 'auth_time'],
      clockTolerance: 5,
    });
    const email = payload['email'];
    if (typeof email !== 'string' || !payload.sub || payload.sub.length > 128)
      throw new Error('the token names no user');
    const name = payload['name'];
    return {
      subject: payload.sub,
      email,
      emailVerified: payload['email_verified'] === true,
      displayName: typeof name === 'string' ? name.slice(0, 255) : null,
    };
  }
}
