import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AppConfig } from './config.js';

/** Where a secret may come from. Three real sources: the environment, a file, AWS Systems Manager Parameter Store. */
export interface SecretProvider {
  /** The secret's value, or null when this source does not have it. Never logged. */
  get(name: string): Promise<string | null>;
}

export class EnvironmentSecrets implements SecretProvider {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#env = env;
  }

  async get(name: string): Promise<string | null> {
    return this.#env[name]?.trim() || null;
  }
}

/** Secrets as files of a folder, one per name (Docker and Kubernetes mount them so). */
export class FileSecrets implements SecretProvider {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(name: string): Promise<string | null> {
    try {
      return (await readFile(path.join(this.#folder, path.basename(name)), 'utf8')).trim() || null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}

/** AWS Parameter Store, decrypted. Region and credentials come from the AWS SDK's own chain. */
export class ParameterStoreSecrets implements SecretProvider {
  async get(name: string): Promise<string | null> {
    // Loaded only when used: most installations have no AWS.
    const { SSMClient, GetParameterCommand, ParameterNotFound } = await import('@aws-sdk/client-ssm');
    const client = new SSMClient({});
    try {
      const answer = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
      return answer.Parameter?.Value ?? null;
    } catch (error) {
      if (error instanceof ParameterNotFound) return null;
      throw new Error(`The parameter ${name} could not be read from AWS Parameter Store`, { cause: error });
    } finally {
      client.destroy();
    }
  }
}

/** Asks a source once per name and process. */
export class CachedSecrets implements SecretProvider {
  readonly #known = new Map<string, Promise<string | null>>();
  readonly #source: SecretProvider;

  constructor(source: SecretProvider) {
    this.#source = source;
  }

  get(name: string): Promise<string | null> {
    let value = this.#known.get(name);
    if (!value) {
      value = this.#source.get(name);
      this.#known.set(name, value);
      // A failed look-up is not remembered: the next call tries again.
      value.catch(() => this.#known.delete(name));
    }
    return value;
  }
}

/**
 * The database to use, by the priority that requirement C34 settles: DATABASE_URL, then PARAMETER_STORE_DB_URL
 * (the name of an AWS parameter), then null = embedded.
 * @throws when the parameter is named but missing or not a PostgreSQL URL.
 */
export async function resolveDatabaseUrl(
  config: Pick<AppConfig, 'DATABASE_URL' | 'PARAMETER_STORE_DB_URL'>,
  parameterStore: SecretProvider = new CachedSecrets(new ParameterStoreSecrets()),
): Promise<string | null> {
  if (config.DATABASE_URL) return config.DATABASE_URL;
  if (!config.PARAMETER_STORE_DB_URL) return null;
  const url = await parameterStore.get(config.PARAMETER_STORE_DB_URL);
  if (!url || !/^postgres(ql)?:\/\//.test(url)) {
    throw new Error(`The parameter ${config.PARAMETER_STORE_DB_URL} does not hold a postgresql:// URL`);
  }
  return url;
}

/**
 * The key that signs access tokens and cursors: JWT_SECRET, or one made once and kept in DATA_DIR (readable by its
 * owner only). Production refuses to start without JWT_SECRET, see config.ts.
 */
export async function resolveJwtSecret(config: Pick<AppConfig, 'JWT_SECRET' | 'DATA_DIR'>): Promise<string> {
  if (config.JWT_SECRET) return config.JWT_SECRET;
  const file = path.join(config.DATA_DIR, 'jwt-secret');
  const stored = await new FileSecrets(config.DATA_DIR).get('jwt-secret');
  if (stored) return stored;
  await mkdir(config.DATA_DIR, { recursive: true, mode: 0o700 });
  const secret = randomBytes(48).toString('base64url');
  try {
    await writeFile(file, secret, { mode: 0o600, flag: 'wx' });
    return secret;
  } catch (error) {
    // Another process made it in the meantime: theirs counts.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return (await readFile(file, 'utf8')).trim();
    throw error;
  }
}
