import { z } from 'zod';
import { tlsFault } from './database-tls.js';

/** Injection token of the validated configuration. */
export const APP_CONFIG = Symbol('APP_CONFIG');

const text = z.string().trim().min(1);
const integer = (min: number, max: number, fallback: number): z.ZodType<number> =>
  z.coerce
    .number({ error: `must be a whole number from ${min} to ${max}` })
    .int()
    .min(min)
    .max(max)
    .default(fallback) as z.ZodType<number>;
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const url = (protocols: string[]): z.ZodType<string> =>
  text.refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
const postgresUrl = url(['postgres:', 'postgresql:']);
const webUrl = url(['http:', 'https:']);

/**
 * Every environment variable that the product reads. Each bound says why it is what it is; .env.example explains each
 * variable to its reader, and a test holds the two lists against each other.
 */
export const environmentSchema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: text.default('127.0.0.1'),
  PORT: integer(0, 65535, 3000),
  // Number of reverse proxies in front: only that many X-Forwarded-For entries are believed.
  TRUST_PROXY_HOPS: integer(0, 10, 0),
  DATA_DIR: text.default('.data'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  DATABASE_URL: postgresUrl.optional(),
  DATABASE_MIGRATION_URL: postgresUrl.optional(),
  PARAMETER_STORE_DB_URL: text.optional(),
  // Above a few times the core count more connections make PostgreSQL slower, not faster.
  DATABASE_POOL_MAX: integer(1, 200, 20),
  DATABASE_POOL_MIN: integer(0, 200, 2),
  DATABASE_SSL: z.enum(['auto', 'disable', 'verify-full', 'no-verify']).default('auto'),
  DATABASE_SSL_CA_FILE: text.optional(),
  DATABASE_SLOW_QUERY_MS: integer(0, 3_600_000, 200),
  // A search answers in milliseconds; what runs longer than this is a fault, and holds a connection.
  DATABASE_STATEMENT_TIMEOUT_MS: integer(100, 600_000, 15_000),

  REDIS_URL: url(['redis:', 'rediss:']).optional(),

  STORAGE_DRIVER: z.enum(['local', 's3']).default('local'),
  S3_ENDPOINT: webUrl.optional(),
  S3_REGION: text.default('us-east-1'),
  S3_BUCKET: text.optional(),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
  S3_FORCE_PATH_STYLE: flag.default(false),

  AI_PROVIDER: z.enum(['local', 'openai']).default('local'),
  OPENAI_API_KEY: text.optional(),
  OPENAI_BASE_URL: webUrl.optional(),
  OPENAI_EMBEDDING_MODEL: text.optional(),
  OPENAI_EMBEDDING_DIMENSIONS: z.coerce.number().int().min(1).max(1536).optional(),
  OPENAI_VISION_MODEL: text.optional(),
  OPENAI_TEXT_MODEL: text.optional(),
  OPENAI_TRANSCRIPTION_MODEL: text.optional(),
  AI_PRICES: text.optional(),
  // A long weekend to notice that the new model is worse; each hour costs embedding new files twice.
  EMBEDDING_RETIRED_GRACE_HOURS: integer(0, 8760, 72),

  // HS256 wants at least 256 bits of key.
  JWT_SECRET: z.string().min(32, 'must be at least 32 characters').optional(),
  ACCESS_TOKEN_SECONDS: integer(60, 86_400, 900),
  REFRESH_TOKEN_SECONDS: integer(3600, 31_536_000, 2_592_000),
  FIREBASE_PROJECT_ID: text.optional(),
  FIREBASE_JWKS_URL: webUrl.default(
    'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
  ),
  // Of visible characters, as it travels in a header. Guessing sixteen of them takes for ever.
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'must be at least 16 characters, without spaces')
    .optional(),
  ADMIN_EMAIL: z.email().optional(),
  ADMIN_PASSWORD: z.string().min(12, 'must be at least 12 characters').optional(),

  FFMPEG_PATH: text.optional(),
  FFPROBE_PATH: text.optional(),
  TESSERACT_PATH: text.optional(),
  // 100 megapixels decode to about 400 MB; phones and most cameras stay below.
  MAX_IMAGE_PIXELS: integer(1_000_000, 1_000_000_000, 100_000_000),

  JOB_CONCURRENCY: integer(1, 64, 2),
  // A job renews its lease every third of this; a dead worker's job is taken over after it (threat figure 12: 45 s).
  JOB_LEASE_SECONDS: integer(2, 600, 30),
  JOB_POLL_MS: integer(50, 60_000, 1000),
  JOB_RETRY_BASE_MS: integer(10, 600_000, 5000),

  // C73: 3 KB for each distinct query of a user.
  SEARCH_KEEP_QUERY_VECTORS: flag.default(false),
  // C49: what was searched for is personal; ten years is longer than any account of it is good for.
  SEARCH_HISTORY_DAYS: integer(1, 3650, 90),
  // Each sample is an exact search of one library more.
  SEARCH_RECALL_SAMPLES_PER_THOUSAND: integer(0, 1000, 5),

  SEED_SAMPLES: flag.optional(),
});

export type Environment = z.infer<typeof environmentSchema>;

/** Thrown with every fault at once, so that nobody mends them one restart at a time. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  readonly faults: { variable: string; message: string }[];

  constructor(faults: { variable: string; message: string }[]) {
    super(
      `The configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n` +
        faults.map((fault) => `  ${fault.variable}: ${fault.message}`).join('\n') +
        '\nSee .env.example for what each variable means.',
    );
    this.faults = faults;
  }
}

export interface AppConfig extends Environment {
  /** True when no database is named: PGlite in DATA_DIR. */
  embedded: boolean;
  isProduction: boolean;
}

/**
 * Reads and checks the environment. An empty variable counts as absent.
 * @throws ConfigurationError with every fault.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): AppConfig {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  const faults = parsed.success
    ? crossChecks(parsed.data)
    : parsed.error.issues.map((issue) => ({ variable: issue.path.join('.'), message: issue.message }));
  if (!parsed.success || faults.length > 0) throw new ConfigurationError(faults);
  const environment = parsed.data;
  return Object.freeze({
    ...environment,
    embedded: !environment.DATABASE_URL && !environment.PARAMETER_STORE_DB_URL,
    isProduction: environment.NODE_ENV === 'production',
  });
}

/** Faults that only show when two variables are seen together. */
function crossChecks(env: Environment): { variable: string; message: string }[] {
  const faults: { variable: string; message: string }[] = [];
  const require = (condition: boolean, variable: string, message: string): void => {
    if (!condition) faults.push({ variable, message });
  };
  require(env.DATABASE_POOL_MIN <=
    env.DATABASE_POOL_MAX, 'DATABASE_POOL_MIN', 'must not exceed DATABASE_POOL_MAX');
  if (env.STORAGE_DRIVER === 's3') require(!!env.S3_BUCKET, 'S3_BUCKET', 'is needed with STORAGE_DRIVER=s3');
  require(!!env.S3_ACCESS_KEY_ID ===
    !!env.S3_SECRET_ACCESS_KEY, 'S3_SECRET_ACCESS_KEY', 'set both S3 keys or neither');
  if (env.AI_PROVIDER === 'openai') {
    require(!!env.OPENAI_API_KEY, 'OPENAI_API_KEY', 'is needed with AI_PROVIDER=openai (any value for a local server)');
  }
  require(!!env.ADMIN_EMAIL ===
    !!env.ADMIN_PASSWORD, 'ADMIN_PASSWORD', 'set ADMIN_EMAIL and ADMIN_PASSWORD together');
  const hasDatabase = !!env.DATABASE_URL || !!env.PARAMETER_STORE_DB_URL;
  if (env.SEED_SAMPLES)
    require(!hasDatabase, 'SEED_SAMPLES', 'is for the embedded database only; use `npm run db:seed`');
  if (env.AI_PRICES) require(isJsonObject(env.AI_PRICES), 'AI_PRICES', 'must be a JSON object');
  if (env.NODE_ENV === 'production') {
    require(!!env.JWT_SECRET, 'JWT_SECRET', 'is needed in production (for example: openssl rand -base64 48)');
    require(hasDatabase, 'DATABASE_URL', 'is needed in production; the embedded database is for one laptop');
    const fault = env.DATABASE_URL && tlsFault(env.DATABASE_URL, { ...env, isProduction: true });
    if (fault) require(false, 'DATABASE_URL', fault);
  }
  return faults;
}

function isJsonObject(value: string): boolean {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}
