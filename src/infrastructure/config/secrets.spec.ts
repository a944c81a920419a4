import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  CachedSecrets,
  EnvironmentSecrets,
  FileSecrets,
  resolveDatabaseUrl,
  resolveJwtSecret,
  type SecretProvider,
} from './secrets.js';

class CountingSecrets implements SecretProvider {
  calls = 0;
  answer: string | null | Error = null;
  async get(): Promise<string | null> {
    this.calls += 1;
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  }
}

describe('sources of secrets (003-09, C34)', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'secrets-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('003-14 connection: DATABASE_URL comes first', async () => {
    const store = new CountingSecrets();
    const config = { DATABASE_URL: 'postgresql://a/b', PARAMETER_STORE_DB_URL: '/name' };
    expect(await resolveDatabaseUrl(config, store)).toBe('postgresql://a/b');
    expect(store.calls).toBe(0);
  });

  it('003-14 connection: then the parameter store', async () => {
    const store = new CountingSecrets();
    store.answer = 'postgresql://from/store';
    const config = { DATABASE_URL: undefined, PARAMETER_STORE_DB_URL: '/name' };
    expect(await resolveDatabaseUrl(config, store)).toBe('postgresql://from/store');
  });

  it('003-14 connection: then the embedded database', async () => {
    expect(
      await resolveDatabaseUrl({ DATABASE_URL: undefined, PARAMETER_STORE_DB_URL: undefined }),
    ).toBeNull();
  });

  it.each([null, 'mysql://elsewhere/db', 'secret-without-a-scheme'])(
    '003-14 connection: a parameter that holds %s is a fault, and its value is not shown',
    async (answer) => {
      const store = new CountingSecrets();
      store.answer = answer;
      const error = await resolveDatabaseUrl(
        { DATABASE_URL: undefined, PARAMETER_STORE_DB_URL: '/name' },
        store,
      ).catch((reason: Error) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).toContain('/name');
      if (answer) expect(String(error)).not.toContain(answer);
    },
  );

  it('003-14 connection: credentials are asked for once; a failure is asked for again', async () => {
    const store = new CountingSecrets();
    store.answer = new Error('away');
    const cached = new CachedSecrets(store);
    await expect(cached.get('name')).rejects.toThrow('away');
    store.answer = 'value';
    expect([await cached.get('name'), await cached.get('name')]).toEqual(['value', 'value']);
    expect(store.calls).toBe(2);
  });

  it('reads a secret from the environment or from a file of its name', async () => {
    const environment = new EnvironmentSecrets({ GIVEN: ' value ', EMPTY: ' ' });
    expect(await Promise.all(['GIVEN', 'EMPTY', 'ABSENT'].map((name) => environment.get(name)))).toEqual([
      'value',
      null,
      null,
    ]);
    await writeFile(path.join(folder, 'token'), 'from file\n');
    const files = new FileSecrets(folder);
    expect([await files.get('token'), await files.get('absent'), await files.get('../token')]).toEqual([
      'from file',
      null,
      'from file',
    ]);
  });

  it('makes the signing key once, for its owner only, whoever asks first', async () => {
    const config = { JWT_SECRET: undefined, DATA_DIR: path.join(folder, 'data') };
    const made = await Promise.all([resolveJwtSecret(config), resolveJwtSecret(config)]);
    expect(new Set(made).size).toBe(1);
    expect(made[0]?.length).toBeGreaterThanOrEqual(32);
    const file = path.join(config.DATA_DIR, 'jwt-secret');
    expect(await readFile(file, 'utf8')).toBe(made[0]);
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await resolveJwtSecret({ ...config, JWT_SECRET: 'given' })).toBe('given');
  });
});
