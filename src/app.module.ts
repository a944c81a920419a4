import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Logger } from 'pino';
import { AuthGuard } from './infrastructure/auth/auth.guard.js';
import { ProblemFilter } from './infrastructure/errors/problem.filter.js';
import { IdempotencyInterceptor } from './infrastructure/http/idempotency.interceptor.js';
import { RlsInterceptor } from './infrastructure/http/rls.interceptor.js';
import { InfrastructureModule } from './infrastructure/infrastructure.module.js';
import { LOGGER } from './infrastructure/infrastructure.tokens.js';
import { RateLimitGuard } from './infrastructure/rate-limit/rate-limit.guard.js';
import type { Runtime } from './infrastructure/runtime.js';
import { AuditModule } from './modules/audit/audit.module.js';
import { BillingModule } from './modules/billing/billing.module.js';
import { FeatureGuard } from './modules/billing/feature.guard.js';
import { JobsModule } from './modules/jobs/jobs.module.js';
import { MediaModule } from './modules/media/media.module.js';
import { MediaPipelineModule } from './modules/media/pipeline/media-pipeline.module.js';
import { MaintenanceModule } from './modules/operations/maintenance.module.js';
import { OperationsModule } from './modules/operations/operations.module.js';
import { SearchModule } from './modules/search/search.module.js';
import { UsersModule } from './modules/users/users.module.js';

/** The whole product. Guards run in this order: who is it, how often, may the plan do it. */
@Module({})
export class AppModule {
  static forRuntime(runtime: Runtime): DynamicModule {
    return {
      module: AppModule,
      imports: [
        InfrastructureModule.forRuntime(runtime),
        AuditModule,
        UsersModule,
        BillingModule,
        JobsModule,
        MediaModule,
        MediaPipelineModule,
        SearchModule,
        OperationsModule,
        MaintenanceModule,
      ],
      providers: [
        { provide: APP_GUARD, useClass: AuthGuard },
        { provide: APP_GUARD, useClass: RateLimitGuard },
        { provide: APP_GUARD, useClass: FeatureGuard },
        { provide: APP_INTERCEPTOR, useClass: RlsInterceptor },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_FILTER, useFactory: (logger: Logger) => new ProblemFilter(logger), inject: [LOGGER] },
      ],
    };
  }
}
