import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createPool, describeDatabase, sslOption, type PoolSettings } from './pool.js';

const settings: PoolSettings = {
  DATABASE_POOL_MAX: 20,
  DATABASE_POOL_MIN: 2,
  DATABASE_SSL: 'auto',
  isProduction: false,
  embedded: false,
};
const URL_TEXT = 'postgresql://mediauser:secret@db.example.test:5433/ai_media_search';
const production = { ...settings, isProduction: true };

describe('the pool (C35)', () => {
  it('has the sizes and times of the requirements', async () => {
    const pool = createPool(URL_TEXT, settings);
    expect(pool.options).toMatchObject({
      ...{
        max: 20,
        min: 2,
        idleTimeoutMillis: 30_000,
        maxLifetimeSeconds: 3600,
        connectionTimeoutMillis: 20_000,
      },
    });
    await pool.end();
  });

  it('never shows the password in what is logged', () => {
    expect(describeDatabase(URL_TEXT)).toBe('db.example.test:5433/ai_media_search');
  });
});

describe('TLS to the database (C51)', () => {
  let folder: string | undefined;
  afterEach(() => {
    if (folder) rmSync(folder, { recursive: true });
    folder = undefined;
  });

  it('verifies certificate and host name in production by default', () => {
    expect(sslOption(URL_TEXT, production)).toEqual({ ssl: { rejectUnauthorized: true } });
  });

  it('trusts the CA file that is named', () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ca-'));
    const file = path.join(folder, 'ca.pem');
    writeFileSync(file, 'certificate');
    const option = sslOption(URL_TEXT, {
      ...settings,
      DATABASE_SSL: 'verify-full',
      DATABASE_SSL_CA_FILE: file,
    });
    expect(option).toEqual({ ssl: { rejectUnauthorized: true, ca: 'certificate' } });
  });

  it('is insecure only when that is asked for by name', () => {
    expect(sslOption(URL_TEXT, { ...production, DATABASE_SSL: 'no-verify' })).toEqual({
      ssl: { rejectUnauthorized: false },
    });
    expect(sslOption(URL_TEXT, { ...production, DATABASE_SSL: 'disable' })).toEqual({ ssl: false });
  });

  it('leaves the choice to the connection string or to development', () => {
    expect(sslOption(`${URL_TEXT}?sslmode=verify-full`, production)).toEqual({});
    expect(sslOption(URL_TEXT, settings)).toEqual({});
  });

  it('uses none on a Unix socket', () => {
    expect(sslOption('postgresql://postgres@localhost/postgres?host=%2Frun%2Fpg', production)).toEqual({
      ssl: false,
    });
  });

  it('stops when the CA file cannot be read', () => {
    const broken = {
      ...settings,
      DATABASE_SSL: 'verify-full' as const,
      DATABASE_SSL_CA_FILE: '/no/such/file',
    };
    expect(() => sslOption(URL_TEXT, broken)).toThrow('ENOENT');
  });
});
