import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AccessTokens } from './auth/access-tokens.js';
import { AccountMemory } from './auth/account-memory.js';
import { FIREBASE_SIGN_IN, FirebaseSignIn } from './auth/firebase-sign-in.js';
import { FirebaseTokens } from './auth/firebase-tokens.js';
import { Passwords } from './auth/passwords.js';
import { Database } from './database/database.js';
import { CursorCodec } from './http/cursor.js';
import {
  AI_PROVIDERS,
  APP_CONFIG,
  LOGGER,
  OBJECT_STORAGE,
  PROCESS_ROLE,
  RATE_LIMITER,
  SIGNING_SECRET,
} from './infrastructure.tokens.js';
import { MediaTools } from './media-tools/media-tools.js';
import { TextEmbedders } from './ai/text-embedders.js';
import { Metrics } from './observability/metrics.js';
import type { Runtime } from './runtime.js';

/** Hands what the process opened (see runtime.ts) to the modules. */
@Global()
@Module({})
export class InfrastructureModule {
  static forRuntime(runtime: Runtime): DynamicModule {
    const { config } = runtime;
    const providers: Provider[] = [
      { provide: APP_CONFIG, useValue: config },
      { provide: PROCESS_ROLE, useValue: runtime.role },
      { provide: LOGGER, useValue: runtime.logger },
      { provide: Metrics, useValue: runtime.metrics },
      { provide: Database, useValue: runtime.database },
      { provide: OBJECT_STORAGE, useValue: runtime.storage },
      { provide: MediaTools, useValue: runtime.mediaTools },
      { provide: AI_PROVIDERS, useValue: runtime.ai },
      { provide: TextEmbedders, useValue: runtime.textEmbedders },
      { provide: RATE_LIMITER, useValue: runtime.rateLimiter },
      { provide: SIGNING_SECRET, useValue: runtime.signingSecret },
      { provide: CursorCodec, useValue: new CursorCodec(runtime.signingSecret) },
      { provide: Passwords, useValue: new Passwords() },
      {
        provide: AccessTokens,
        useValue: new AccessTokens(runtime.signingSecret, config.ACCESS_TOKEN_SECONDS),
      },
      { provide: AccountMemory, useValue: new AccountMemory() },
      {
        provide: FIREBASE_SIGN_IN,
        useValue: config.FIREBASE_PROJECT_ID
          ? new FirebaseSignIn(
              runtime.database,
              new FirebaseTokens(config.FIREBASE_PROJECT_ID, config.FIREBASE_JWKS_URL),
            )
          : null,
      },
    ];
    return {
      module: InfrastructureModule,
      providers,
      exports: providers.map((provider) => ('provide' in provider ? provider.provide : provider)),
    };
  }
}
