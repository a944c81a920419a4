import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ConfigurationError, environmentSchema, loadConfig } from './config.js';

function faultsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults.map(({ variable }) => variable).sort();
    throw error;
  }
}

describe('configuration (C62)', () => {
  it('needs nothing at all: embedded, local, with the documented defaults', () => {
    expect(loadConfig({})).toMatchObject({
      ...{ embedded: true, isProduction: false, PORT: 3000, HOST: '127.0.0.1', DATA_DIR: '.data' },
      ...{ DATABASE_POOL_MAX: 20, DATABASE_POOL_MIN: 2, STORAGE_DRIVER: 'local', AI_PROVIDER: 'local' },
    });
  });

  it('counts an empty variable as absent, and cannot be changed afterwards', () => {
    const config = loadConfig({ DATABASE_URL: ' ', PORT: '' });
    expect(config).toMatchObject({ embedded: true, PORT: 3000 });
    expect(() => Object.assign(config, { PORT: 1 })).toThrow(TypeError);
  });

  it('names every fault at once', () => {
    expect(
      faultsOf({ PORT: '70000', DATABASE_URL: 'mysql://x/y', LOG_LEVEL: 'loud', JWT_SECRET: 'short' }),
    ).toEqual([...['DATABASE_URL', 'JWT_SECRET', 'LOG_LEVEL', 'PORT']]);
  });

  it.each<[string, NodeJS.ProcessEnv, string[]]>([
    [
      'a minimum above the maximum',
      { DATABASE_POOL_MIN: '5', DATABASE_POOL_MAX: '4' },
      ['DATABASE_POOL_MIN'],
    ],
    ['S3 without a bucket', { STORAGE_DRIVER: 's3' }, ['S3_BUCKET']],
    ['half of the S3 keys', { S3_ACCESS_KEY_ID: 'id' }, ['S3_SECRET_ACCESS_KEY']],
    ['OpenAI without a key', { AI_PROVIDER: 'openai' }, ['OPENAI_API_KEY']],
    ['an admin without a password', { ADMIN_EMAIL: 'a@example.test' }, ['ADMIN_PASSWORD']],
    ['prices that are no object', { AI_PRICES: '[1]' }, ['AI_PRICES']],
    [
      'samples on a real database',
      { SEED_SAMPLES: 'true', DATABASE_URL: 'postgresql://h/d' },
      ['SEED_SAMPLES'],
    ],
    ['production without what it needs', { NODE_ENV: 'production' }, ['DATABASE_URL', 'JWT_SECRET']],
    ['a token that can be guessed', { METRICS_TOKEN: 'x'.repeat(15) }, ['METRICS_TOKEN']],
    ['a token that no header can hold', { METRICS_TOKEN: 'sixteen characters' }, ['METRICS_TOKEN']],
    [
      'a connection of production that others could read, unless it is asked for by name',
      {
        ...{ NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(32) },
        DATABASE_URL: 'postgresql://h/d?sslmode=disable',
      },
      ['DATABASE_URL'],
    ],
    ['a pool of nothing', { DATABASE_POOL_MAX: '0', DATABASE_POOL_MIN: '0' }, ['DATABASE_POOL_MAX']],
  ])('refuses %s', (_name, env, expected) => {
    expect(faultsOf(env)).toEqual(expect.arrayContaining(expected));
    expect(faultsOf(env).every((variable) => expected.includes(variable) || variable in env)).toBe(true);
  });

  it('takes a complete production configuration', () => {
    const env = { NODE_ENV: 'production', DATABASE_URL: 'postgresql://h/d', JWT_SECRET: 'x'.repeat(32) };
    expect(loadConfig(env)).toMatchObject({ embedded: false, isProduction: true });
    const plain = { ...env, DATABASE_URL: `${env.DATABASE_URL}?sslmode=disable`, DATABASE_SSL: 'disable' };
    expect(loadConfig(plain)).toMatchObject({ isProduction: true, DATABASE_SSL: 'disable' });
  });

  it('never puts a value into the message', () => {
    try {
      loadConfig({
        ...{ JWT_SECRET: 'too-short-secret', METRICS_TOKEN: 'short-token' },
        DATABASE_URL: 'mysql://user:password@h/d',
      });
      throw new Error('was taken');
    } catch (error) {
      expect(String(error)).not.toMatch(/too-short-secret|short-token|password@/);
    }
  });

  it('.env.example explains every variable, and only those', () => {
    const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
    const explained = [...example.matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect([...new Set(explained)].sort()).toEqual(Object.keys(environmentSchema.shape).sort());
  });
});
