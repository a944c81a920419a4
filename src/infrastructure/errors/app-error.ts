/** One fault of one field of the request. `pointer` is a JSON pointer into the body, or `?name` for a query value. */
export interface FieldFault {
  pointer: string;
  detail: string;
}

/**
 * A failure that the caller can understand and act on. Turned into RFC 9457 problem+json by ProblemFilter.
 * `code` is stable: clients may compare it.
 */
export class AppError extends Error {
  override name = 'AppError';
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly extra: {
      errors?: FieldFault[];
      /** Further members of the problem document. */
      members?: Record<string, unknown>;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: extra.cause });
  }
}

/** Factories, so that one fault reads the same wherever it happens. */
export const errors = {
  validation: (faults: FieldFault[]): AppError =>
    new AppError(
      400,
      'validation-failed',
      'The request is not valid',
      'Correct the fields named in "errors".',
      {
        errors: faults,
      },
    ),
  badRequest: (code: string, detail: string, pointer?: string): AppError =>
    new AppError(
      400,
      code,
      'The request is not valid',
      detail,
      pointer ? { errors: [{ pointer, detail }] } : {},
    ),
  unauthenticated: (detail = 'Send a valid "Authorization: Bearer" token or "X-API-Key".'): AppError =>
    new AppError(401, 'unauthenticated', 'Not logged in', detail, {
      headers: { 'WWW-Authenticate': 'Bearer' },
    }),
  invalidCredentials: (): AppError =>
    new AppError(401, 'invalid-credentials', 'Log-in failed', 'The e-mail address or the password is wrong.'),
  accountSuspended: (): AppError =>
    new AppError(
      403,
      'account-suspended',
      'Account suspended',
      'This account is suspended. Write to the operator.',
    ),
  forbidden: (detail: string): AppError => new AppError(403, 'forbidden', 'Not allowed', detail),
  featureNotInPlan: (feature: string, tier: string): AppError =>
    new AppError(
      403,
      'feature-not-in-plan',
      'Not part of your plan',
      `The ${tier} plan does not include ${feature}.`,
      {
        members: { feature, tier },
      },
    ),
  /** Also the answer for what row-level security hides: there is no difference to be seen. */
  notFound: (what: string): AppError =>
    new AppError(404, 'not-found', 'Not found', `There is no such ${what}.`),
  conflict: (code: string, detail: string, faults?: FieldFault[]): AppError =>
    new AppError(409, code, 'Conflict', detail, faults ? { errors: faults } : {}),
  quotaExceeded: (
    quota: 'uploads' | 'searches' | 'storage' | 'cost',
    limit: number | string,
    resetsAt: Date | null,
  ): AppError =>
    new AppError(
      402,
      'quota-exceeded',
      'Plan limit reached',
      quota === 'storage'
        ? `The storage of your plan (${limit} bytes) does not hold this file. Delete files or choose a larger plan.`
        : `Your plan allows ${limit} ${quota} per billing period, and they are used up. ` +
            (resetsAt ? `The next period starts at ${resetsAt.toISOString()}. ` : '') +
            'Choose a larger plan to go on now.',
      { members: { quota, limit, resetsAt: resetsAt?.toISOString() ?? null } },
    ),
  tooManyRequests: (bucket: string, limit: number, retryAfterSeconds: number): AppError =>
    new AppError(
      429,
      'rate-limited',
      'Too many requests',
      `Your plan allows ${limit} ${bucket} requests per hour. Try again in ${retryAfterSeconds} s.`,
      {
        headers: { 'Retry-After': String(retryAfterSeconds) },
        members: { bucket, limit, retryAfterSeconds },
      },
    ),
  payloadTooLarge: (detail: string): AppError =>
    new AppError(413, 'payload-too-large', 'Too large', detail, { headers: { Connection: 'close' } }),
  unsupportedMedia: (code: string, detail: string): AppError =>
    new AppError(code === 'unsupported-media-type' ? 415 : 422, code, 'File not accepted', detail),
  unavailable: (code: string, detail: string, cause?: unknown): AppError =>
    new AppError(503, code, 'Temporarily unavailable', detail, { headers: { 'Retry-After': '5' }, cause }),
  insufficientStorage: (cause?: unknown): AppError =>
    new AppError(
      507,
      'storage-full',
      'No space left',
      'The server has no space left for this file. Try again later.',
      {
        cause,
      },
    ),
};
