import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { ConfigurationError } from '../config/config.js';
import { tlsWarning } from '../config/database-tls.js';
import { createPool, describeDatabase, tlsOptions, type PoolSettings } from './pool.js';

const settings: PoolSettings = {
  DATABASE_POOL_MAX: 20,
  DATABASE_POOL_MIN: 2,
  DATABASE_SSL: 'auto',
  isProduction: false,
  embedded: false,
};
const URL_TEXT = 'postgresql://mediauser:secret@db.example.test:5433/ai_media_search';
const SOCKET = 'postgresql://postgres@localhost/postgres?host=%2Frun%2Fpg';
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

  /** What the driver makes of connection string and options together. */
  const parametersOf = (url: string, used: PoolSettings): Record<string, unknown> =>
    (new pg.Client(tlsOptions(url, used)) as unknown as { connectionParameters: Record<string, unknown> })
      .connectionParameters;
  const driverSsl = (url: string, used: PoolSettings): unknown => parametersOf(url, used)['ssl'];

  it('verifies certificate and host name in production by default', () => {
    expect(driverSsl(URL_TEXT, production)).toEqual({ rejectUnauthorized: true });
    for (const ssl of ['true', '1'])
      expect(driverSsl(`${URL_TEXT}?ssl=${ssl}`, production)).toEqual({ rejectUnauthorized: true });
  });

  it('trusts the CA file that is named', () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ca-'));
    const file = path.join(folder, 'ca.pem');
    writeFileSync(file, 'certificate');
    const verifying = { ...settings, DATABASE_SSL: 'verify-full' as const, DATABASE_SSL_CA_FILE: file };
    expect(driverSsl(URL_TEXT, verifying)).toEqual({ rejectUnauthorized: true, ca: 'certificate' });
  });

  const MODES = ['disable', 'allow', 'prefer', 'require', 'no-verify', 'DISABLE', ''];
  const WEAK_PARAMETERS = [
    ...MODES.map((mode) => `sslmode=${mode}`),
    ...[
      'ssl=0',
      'ssl=false',
      'ssl=no-verify',
      'sslmode=verify-full&sslmode=disable',
      'sslmode=verify-ca&ssl=0',
    ],
    'uselibpqcompat=true&sslmode=require',
  ];

  it.each(WEAK_PARAMETERS)('takes ?%s in production from DATABASE_SSL only', (parameters) => {
    const url = `${URL_TEXT}?application_name=a&${parameters}`;
    expect(() => createPool(url, production)).toThrow(ConfigurationError);
    expect(() => createPool(url, production)).toThrow(
      /DATABASE_URL.*sslmode=verify-full.*DATABASE_SSL=no-verify/s,
    );
    expect(() => createPool(url, production)).not.toThrow('secret');
    const named = (mode: PoolSettings['DATABASE_SSL']): unknown =>
      driverSsl(url, { ...production, DATABASE_SSL: mode });
    expect(named('disable')).toBe(false);
    expect(named('no-verify')).toEqual({ rejectUnauthorized: false });
    // By name, the stronger wins as well.
    expect(named('verify-full')).toEqual({ rejectUnauthorized: true });
  });

  it('keeps what else the connection string says', () => {
    const url = `${URL_TEXT}?application_name=a%20b&sslmode=disable`;
    expect(parametersOf(url, { ...production, DATABASE_SSL: 'disable' })).toMatchObject({
      ...{
        host: 'db.example.test',
        port: 5433,
        database: 'ai_media_search',
        user: 'mediauser',
        password: 'secret',
      },
      application_name: 'a b',
    });
  });

  it.each(['verify-ca', 'verify-full'])(
    'leaves sslmode=%s to the connection string in production',
    (mode) => {
      const url = `${URL_TEXT}?sslmode=${mode}`;
      expect(tlsOptions(url, production)).toEqual({ connectionString: url });
    },
  );

  it('leaves the choice to the connection string in development', () => {
    for (const url of [URL_TEXT, ...WEAK_PARAMETERS.map((parameters) => `${URL_TEXT}?${parameters}`)])
      expect(tlsOptions(url, settings)).toEqual({ connectionString: url });
  });

  it('uses none on a Unix socket', () => {
    for (const url of [SOCKET, `${SOCKET}&sslmode=disable`])
      expect(tlsOptions(url, production)).toEqual({ connectionString: url, ssl: false });
  });

  it('stops when the CA file cannot be read', () => {
    const broken = {
      ...settings,
      DATABASE_SSL: 'verify-full' as const,
      DATABASE_SSL_CA_FILE: '/no/such/file',
    };
    expect(() => tlsOptions(URL_TEXT, broken)).toThrow('ENOENT');
  });

  it('warns in production where it is off or unverified, and only there', () => {
    const disable = { ...production, DATABASE_SSL: 'disable' as const };
    const noVerify = { ...production, DATABASE_SSL: 'no-verify' as const };
    expect(tlsWarning(URL_TEXT, disable)).toContain('not encrypted');
    expect(tlsWarning(URL_TEXT, noVerify)).toContain('not verified');
    expect(tlsWarning(SOCKET, disable)).toBeNull();
    expect(tlsWarning(URL_TEXT, { ...disable, isProduction: false })).toBeNull();
    expect(tlsWarning(URL_TEXT, production)).toBeNull();
    expect(tlsWarning(URL_TEXT, { ...production, DATABASE_SSL: 'verify-full' })).toBeNull();
  });
});
