import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { openAsBlob } from 'node:fs';
import type { Runtime } from '../infrastructure/runtime.js';
import { drawSampleLibrary, type SampleFile } from '../samples/sample-library.js';
import { ensureAccount } from './prepare-installation.js';

const LOGINS_FILE = 'sample-logins.json';

interface SampleLogins {
  /** False while files are still missing: the next start goes on where this one was stopped. */
  complete: boolean;
  accounts: { name: 'alice' | 'bob' | 'admin'; email: string; password: string }[];
}

/**
 * Puts the sample library into a new embedded installation: two users with pictures and films, and an administrator.
 * Passwords are made at random, printed, and kept in DATA_DIR. The files go through the real upload route.
 */
export async function seedSamplesWhenEmpty(nest: NestExpressApplication, runtime: Runtime): Promise<void> {
  const { config } = runtime;
  const wanted = config.SEED_SAMPLES ?? (config.embedded && config.NODE_ENV === 'development');
  if (!wanted) return;
  const known = await readLogins(config.DATA_DIR);
  if (known?.complete) return printLogins(known);
  if (!known && (await hasUsers(runtime))) return;
  await seedSamples(nest, runtime);
}

/** Seeds whatever is missing of the sample library. May be run again: files that are there already stay as they are. */
export async function seedSamples(nest: NestExpressApplication, runtime: Runtime): Promise<void> {
  const { config, logger } = runtime;
  const logins = (await readLogins(config.DATA_DIR)) ?? newLogins();
  await writeLogins(config.DATA_DIR, logins);
  for (const { name, email, password } of logins.accounts) {
    await ensureAccount(runtime, {
      email,
      password,
      displayName: name[0]?.toUpperCase() + name.slice(1),
      role: name === 'admin' ? 'ADMIN' : 'USER',
      // The library is larger than what the free plan takes in an hour.
      tier: name === 'admin' ? 'free' : 'ultimate',
    });
  }
  printLogins(logins);
  const started = performance.now();
  const { port } = nest.getHttpServer().address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}`;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'media-search-samples-'));
  try {
    const ffmpeg = await runtime.mediaTools.describe();
    const files = await drawSampleLibrary(folder, ffmpeg.ffmpeg.path);
    const tokens = new Map<string, string>();
    for (const account of logins.accounts) tokens.set(account.name, await logIn(baseUrl, account));
    for (const file of files) await upload(baseUrl, tokens.get(file.owner) ?? '', file);
    await writeLogins(config.DATA_DIR, { ...logins, complete: true });
    logger.info(
      { files: files.length, tookMs: Math.round(performance.now() - started) },
      'the sample library is in; it is being analysed',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function upload(baseUrl: string, token: string, sample: SampleFile): Promise<void> {
  const form = new FormData();
  form.set('title', sample.title);
  for (const tag of sample.tags) form.append('tags', tag);
  if (sample.category) form.set('category', sample.category);
  if (sample.customMetadata) form.set('customMetadata', JSON.stringify(sample.customMetadata));
  form.set('file', await openAsBlob(sample.path, { type: sample.mimeType }), sample.filename);
  await request(`${baseUrl}/v1/media`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${token}` },
  });
}

async function logIn(baseUrl: string, account: { email: string; password: string }): Promise<string> {
  const answer = await request(`${baseUrl}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: account.email, password: account.password }),
  });
  return ((await answer.json()) as { accessToken: string }).accessToken;
}

async function request(url: string, init: RequestInit): Promise<Response> {
  // eslint-disable-next-line no-restricted-syntax -- this process' own address on the loopback interface, nobody's input
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  return answer;
}

async function hasUsers(runtime: Runtime): Promise<boolean> {
  const { ADMIN_EMAIL: admin } = runtime.config;
  const count = await runtime.database.runAsSystem('seed', (tx) =>
    tx.user.count({ where: admin ? { email: { not: admin.toLowerCase() } } : {} }),
  );
  return count > 0;
}

function newLogins(): SampleLogins {
  const account = (name: 'alice' | 'bob' | 'admin'): SampleLogins['accounts'][number] => ({
    name,
    email: `${name}@example.com`,
    password: randomBytes(9).toString('base64url'),
  });
  return { complete: false, accounts: [account('alice'), account('bob'), account('admin')] };
}

async function readLogins(dataDir: string): Promise<SampleLogins | null> {
  try {
    return JSON.parse(await readFile(path.join(dataDir, LOGINS_FILE), 'utf8')) as SampleLogins;
  } catch {
    return null;
  }
}

function writeLogins(dataDir: string, logins: SampleLogins): Promise<void> {
  return writeFile(path.join(dataDir, LOGINS_FILE), JSON.stringify(logins, null, 2), { mode: 0o600 });
}

function printLogins(logins: SampleLogins): void {
  console.log(
    '  Sample accounts\n' +
      logins.accounts
        .map(({ name, email, password }) => `    ${name.padEnd(6)} ${email.padEnd(18)} ${password}`)
        .join('\n') +
      '\n',
  );
}
