import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';

/** What an API key can be allowed to do. A session may do all of it. */
export const SCOPES = [
  'media:read',
  'media:write',
  'search',
  'jobs:read',
  'jobs:write',
  'account:read',
  'account:write',
] as const;
export type Scope = (typeof SCOPES)[number];

export type RouteAccess =
  { kind: 'public' } | { kind: 'admin' } | { kind: 'session' } | { kind: 'scope'; scope: Scope };
export type RateBucket = 'api' | 'upload' | 'search' | 'none';

export const ROUTE_ACCESS = 'route:access';
export const RATE_BUCKET = 'route:rate-bucket';
export const REQUIRED_FEATURE = 'route:feature';
export const SECRET_ANSWER = 'route:secret-answer';

/** Open to everybody. Every use is named in PUBLIC_ROUTES below; a test compares the two. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(ROUTE_ACCESS, { kind: 'public' });

/** For administrators with a session (never an API key). Runs as database role app_admin. */
export const AdminOnly = (): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(ROUTE_ACCESS, { kind: 'admin' }), ApiBearerAuth());

/** For the user in person, never an API key: a leaked one could raise its own rights there (threat C4). */
export const SessionOnly = (): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(ROUTE_ACCESS, { kind: 'session' }), ApiBearerAuth());

/** For the user in person, or an API key that holds the scope. */
export const RequireScope = (scope: Scope): MethodDecorator & ClassDecorator =>
  applyDecorators(
    SetMetadata(ROUTE_ACCESS, { kind: 'scope', scope }),
    ApiBearerAuth(),
    ApiSecurity('apiKey'),
  );

/** Which hourly limit of the plan a route counts against; `api` unless said otherwise. */
export const RateLimit = (bucket: RateBucket): MethodDecorator & ClassDecorator =>
  SetMetadata(RATE_BUCKET, bucket);

/** Refused with 403 `feature-not-in-plan` when the caller's plan lacks the feature. */
export const RequireFeature = (feature: string): MethodDecorator & ClassDecorator =>
  SetMetadata(REQUIRED_FEATURE, feature);

/**
 * The answer holds a secret that is shown once: it is never stored, and so cannot be repeated for an Idempotency-Key.
 * @param advice what to do for whoever sends the same request again, having lost the answer
 */
export const SecretAnswer = (advice: string): MethodDecorator => SetMetadata(SECRET_ANSWER, advice);

/** The one list of open routes. */
export const PUBLIC_ROUTES = [
  'POST /v1/auth/register',
  'POST /v1/auth/login',
  'POST /v1/auth/refresh',
  'POST /v1/auth/logout',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /v1/billing/plans',
] as const;
