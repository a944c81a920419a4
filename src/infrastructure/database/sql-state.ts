import { ServerSilentError, TransactionTimeoutError } from './transaction-errors.js';

/**
 * The SQLSTATE behind an error, whatever layer it passed: node-postgres, Prisma's driver adapter, or Prisma's own
 * codes for the cases it translates. Null when the error did not come from the database.
 */
export function sqlStateOf(error: unknown): string | null {
  for (let current: unknown = error, depth = 0; current && depth < 5; depth += 1) {
    const candidate = current as {
      code?: unknown;
      originalCode?: unknown;
      meta?: { code?: unknown; driverAdapterError?: { cause?: { originalCode?: unknown; code?: unknown } } };
      cause?: unknown;
    };
    const adapterCause = candidate.meta?.driverAdapterError?.cause;
    for (const value of [
      adapterCause?.originalCode,
      adapterCause?.code,
      candidate.originalCode,
      candidate.meta?.code,
      candidate.code,
    ]) {
      if (typeof value === 'string' && /^[0-9A-Z]{5}$/.test(value) && !/^P2\d{3}$/.test(value)) return value;
    }
    const translated = PRISMA_TO_SQLSTATE[String(candidate.code)];
    if (translated) return translated;
    current = candidate.cause;
  }
  return null;
}

const PRISMA_TO_SQLSTATE: Record<string, string> = {
  P2002: '23505',
  P2003: '23503',
  P2011: '23502',
  P2034: '40001',
};

/** The name of the constraint that was violated, where the driver tells it. */
export function constraintOf(error: unknown): string | null {
  const text = error instanceof Error ? error.message : String(error);
  return /constraint[: ]+[`"\\]*([a-z_0-9]+)/i.exec(text)?.[1] ?? null;
}

/** Serialization failure and deadlock: the transaction did nothing and may simply be run again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01';
}

/**
 * What Prisma's driver adapter calls a server that cannot be reached (`mapDriverError` in @prisma/adapter-pg). These
 * arrive bare, without a SQLSTATE, when the connection breaks under BEGIN, COMMIT or ROLLBACK.
 */
const UNREACHABLE_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TlsConnectionError',
]);

function isUnreachableKind(error: unknown): boolean {
  const adapter = error as {
    cause?: { kind?: unknown };
    meta?: { driverAdapterError?: { cause?: { kind?: unknown } } };
  } | null;
  const kind = adapter?.meta?.driverAdapterError?.cause?.kind ?? adapter?.cause?.kind;
  return typeof kind === 'string' && UNREACHABLE_KINDS.has(kind);
}

/** Connection lost, server starting or shutting down, too many connections, or too slow to go on. */
export function isUnavailable(error: unknown): boolean {
  if (
    isUnreachableKind(error) ||
    error instanceof TransactionTimeoutError ||
    error instanceof ServerSilentError
  )
    return true;
  const state = sqlStateOf(error);
  if (state && (/^08/.test(state) || /^57P0[1-3]$/.test(state) || state === '53300')) return true;
  const code = (error as { code?: unknown })?.code;
  if (
    typeof code === 'string' &&
    [
      'P1001',
      'P1002',
      'P1008',
      'P1017',
      'P2024',
      'P2028',
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'ENOENT',
    ].includes(code)
  ) {
    return true;
  }
  const message = error instanceof Error ? error.message : '';
  return /Connection terminated|timeout exceeded when trying to connect|Can't reach database|Server has closed the connection|ECONNREFUSED|connect ENOENT/i.test(
    message,
  );
}
