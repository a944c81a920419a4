import { fork, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { Agent, request, type RequestOptions } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { AccessTokens } from '../../../src/infrastructure/auth/access-tokens.js';
import type { Bench } from '../bench.js';
import { PROJECT_DIR } from '../data/cluster.js';
import type { BenchUser } from '../data/data-set.js';
import type { ServerInput, ServerMessage } from './server.js';

const SERVER = fileURLToPath(new URL('./server.ts', import.meta.url));
const HOOKS = new URL('../../hooks.mjs', import.meta.url).href;
const START_LIMIT_MS = 60_000;
const SESSION_SECONDS = 3_600;
const SEARCH_PATH = '/v1/search';

export interface SearchAnswer {
  items: { media: { id: string } }[];
  plan: string;
  tookMs: number;
}

/** The product as a process of its own, and a client that keeps its connections. */
export class ProductServer {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private barePort = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
    private readonly tokens: Map<string, string>,
  ) {}

  /** @param vectors of the queries `question 0`, `question 1`, ... */
  static async start(bench: Bench, users: BenchUser[], vectors: Float32Array[]): Promise<ProductServer> {
    const secret = randomBytes(32).toString('hex');
    const tokens = await openSessions(bench.adminUrl, users, secret);
    const vectorsPath = join(bench.scratch, 'questions.f32');
    writeFileSync(vectorsPath, Buffer.concat(vectors.map((vector) => Buffer.from(vector.buffer))));
    const input: ServerInput = {
      vectorsPath,
      environment: {
        NODE_ENV: 'production',
        PORT: '0',
        HOST: '127.0.0.1',
        DATA_DIR: mkdtempSync(join(bench.scratch, 'data-')),
        DATABASE_URL: bench.runtimeUrl,
        DATABASE_SSL: 'disable',
        JWT_SECRET: secret,
        LOG_LEVEL: 'error',
      },
    };
    const child = fork(SERVER, {
      cwd: PROJECT_DIR,
      execArgv: ['--no-warnings', '--import', HOOKS],
      env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    });
    child.send(input);
    try {
      return new ProductServer(child, await portOf(child), tokens);
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  /** POST /v1/search in semantic mode. @returns the answer and the milliseconds until its last byte */
  async search(
    user: BenchUser,
    question: number,
    limit: number,
  ): Promise<{ answer: SearchAnswer; milliseconds: number }> {
    const { text, milliseconds } = await this.post(this.port, user, question, limit);
    return { answer: JSON.parse(text) as SearchAnswer, milliseconds };
  }

  /** Records each question as asked now, and starts a bare server that does the same for them (bare-server.ts). */
  async startBare(questions: { user: BenchUser; number: number }[], limit: number): Promise<void> {
    for (const { user, number } of questions) {
      await this.ask({ ask: 'record' });
      const { text } = await this.post(this.port, user, number, limit);
      await this.ask({ ask: 'keep', question: number, answer: text });
    }
    this.barePort = (await this.ask<{ port: number }>({ ask: 'bareServer' })).port;
  }

  /** The same request to the bare server. @returns the milliseconds until its last byte */
  async searchBare(user: BenchUser, question: number, limit: number, path = SEARCH_PATH): Promise<number> {
    return (await this.post(this.barePort, user, question, limit, path)).milliseconds;
  }

  private post(
    port: number,
    user: BenchUser,
    question: number,
    limit: number,
    path = SEARCH_PATH,
  ): Promise<{ text: string; milliseconds: number }> {
    const body = JSON.stringify({ query: `question ${question}`, mode: 'semantic', limit });
    return this.send(
      port,
      {
        method: 'POST',
        path,
        headers: {
          authorization: `Bearer ${this.tokens.get(user.id)}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      body,
    );
  }

  /** @returns for how many milliseconds the server had statements under way since this was asked last */
  async statementMilliseconds(): Promise<number> {
    return (await this.ask<{ statementMs: number }>({ ask: 'statementMs' })).statementMs;
  }

  private ask<Answer extends object>(message: ServerMessage): Promise<Answer> {
    return new Promise((resolve) => {
      this.child.once('message', (answer: Answer) => resolve(answer));
      this.child.send(message);
    });
  }

  /** A route that does nothing. @returns the milliseconds until its last byte */
  async health(): Promise<number> {
    return (await this.send(this.port, { method: 'GET', path: '/health/live' })).milliseconds;
  }

  /** @throws Error for any answer but 200 */
  private send(
    port: number,
    options: RequestOptions,
    body?: string,
  ): Promise<{ text: string; milliseconds: number }> {
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const outgoing = request({ ...options, agent: this.agent, host: '127.0.0.1', port }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const milliseconds = performance.now() - started;
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve({ text, milliseconds });
          else reject(new Error(`${options.path}: ${response.statusCode} ${text.slice(0, 300)}`));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    if (this.child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.disconnect();
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(limit);
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error('the product did not start within a minute')),
      START_LIMIT_MS,
    );
    child.once('message', (message: { port: number }) => {
      clearTimeout(limit);
      resolve(message.port);
    });
    child.once('exit', (code) => {
      clearTimeout(limit);
      reject(new Error(`the product ended with code ${code} while it started`));
    });
  });
}

/**
 * A session per user as a log-in would leave it, and a plan without limits: an administrator's change of the plan in the
 * database, so that the checks themselves still run with every request.
 */
async function openSessions(
  adminUrl: string,
  users: BenchUser[],
  secret: string,
): Promise<Map<string, string>> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const tokens = new AccessTokens(secret, SESSION_SECONDS);
  const byUser = new Map<string, string>();
  for (const user of users) {
    const sessionId = randomUUID();
    await client.query(
      `INSERT INTO refresh_tokens (user_id, id, family_id, token_hash, expires_at)
       VALUES ($1, gen_random_uuid(), $2, $3, now() + interval '1 day')`,
      [user.id, sessionId, createHash('sha256').update(sessionId).digest('hex')],
    );
    byUser.set(user.id, await tokens.sign({ userId: user.id, sessionId }));
  }
  await client.query(
    `UPDATE usage_limits SET api_rate_limit = 2000000000, search_rate_limit = 2000000000, max_searches_per_month = NULL,
       max_monthly_cost = NULL WHERE tier_name = 'ultimate' AND effective_until IS NULL`,
  );
  await client.end();
  return byUser;
}
