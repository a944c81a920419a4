import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { catchError, from, mergeMap, of, type Observable } from 'rxjs';
import { Database, type Transaction } from '../database/database.js';
import { Prisma } from '../database/generated/client.js';
import { AppError, errors } from '../errors/app-error.js';
import type { RequestWithPrincipal } from './principal.js';
import { SECRET_ANSWER } from './route-access.js';

const KEY = /^[\x21-\x7e]{1,255}$/;
/** How long a second request waits for the first one's answer before it is told to come back. */
const WAIT_MS = 20_000;
const POLL_MS = 100;
/** A request that has been "running" for longer than this died with its process; the next one takes over. */
const ABANDONED_SECONDS = 300;

interface StoredAnswer {
  requestHash: string;
  status: 'running' | 'done';
  responseStatus: number | null;
  responseBody: Prisma.JsonValue;
}

/**
 * Makes a POST that carries an Idempotency-Key happen once: the first request does the work, every other one with the
 * same key gets the same answer (threat B10). The row of the key is the lock. Failures are not kept: they may be tried
 * again under the same key. Kept for 24 hours. An answer marked @SecretAnswer is not kept, so it is not repeated either.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<RequestWithPrincipal>();
    const key = request.header('idempotency-key');
    if (request.method !== 'POST' || key === undefined || !request.principal) return next.handle();
    if (!KEY.test(key)) {
      throw errors.badRequest(
        'invalid-idempotency-key',
        'Idempotency-Key takes 1 to 255 visible ASCII characters.',
      );
    }
    const userId = request.principal.userId;
    const response = http.getResponse<Response>();
    const hash = hashOf(request);
    const secretAdvice = this.reflector.get<string | undefined>(SECRET_ANSWER, context.getHandler());
    return from(this.claim(userId, key, request, hash)).pipe(
      mergeMap((earlier) => {
        if (earlier) {
          if (secretAdvice !== undefined) throw secretShownOnce(secretAdvice);
          response.status(earlier.responseStatus ?? 200).setHeader('Idempotency-Replayed', 'true');
          return of(earlier.responseBody ?? undefined);
        }
        return next.handle().pipe(
          mergeMap(async (body: unknown) => {
            const kept = secretAdvice === undefined ? body : undefined;
            await this.keep(userId, key, response.statusCode, kept);
            return body;
          }),
          catchError(async (error: unknown) => {
            await this.forget(userId, key);
            throw error;
          }),
        );
      }),
    );
  }

  /** Null when this request is the first and has to do the work; else the answer to repeat. */
  private async claim(
    userId: string,
    key: string,
    request: RequestWithPrincipal,
    hash: string,
  ): Promise<StoredAnswer | null> {
    for (const deadline = Date.now() + WAIT_MS; ; await sleep(POLL_MS)) {
      const earlier = await this.asCaller(userId, async (tx): Promise<StoredAnswer | null> => {
        const claimed = await tx.$queryRaw<unknown[]>(Prisma.sql`
          INSERT INTO idempotency_keys (user_id, key, method, path, request_hash)
          VALUES (${userId}::uuid, ${key}, ${request.method}, ${request.path.slice(0, 500)}, ${hash})
          ON CONFLICT (user_id, key) DO UPDATE
            SET request_hash = excluded.request_hash, method = excluded.method, path = excluded.path, status = 'running',
                created_at = now(), expires_at = now() + interval '24 hours'
            WHERE idempotency_keys.expires_at < now() OR (idempotency_keys.status = 'running'
              AND idempotency_keys.created_at < now() - make_interval(secs => ${ABANDONED_SECONDS}::int))
          RETURNING 1`);
        if (claimed.length > 0) return null;
        const [row] = await tx.$queryRaw<StoredAnswer[]>(Prisma.sql`
          SELECT request_hash AS "requestHash", status, response_status AS "responseStatus", response_body AS "responseBody"
          FROM idempotency_keys WHERE user_id = ${userId}::uuid AND key = ${key}`);
        return row ?? { requestHash: hash, status: 'running', responseStatus: null, responseBody: null };
      });
      if (!earlier) return null;
      if (earlier.requestHash !== hash) {
        throw new AppError(
          422,
          'idempotency-key-reused',
          'Key used for another request',
          'This Idempotency-Key was sent with another request before. Use a new key for a new request.',
        );
      }
      if (earlier.status === 'done') return earlier;
      if (Date.now() > deadline) {
        throw errors.unavailable(
          'still-running',
          'The first request with this Idempotency-Key is still running.',
        );
      }
    }
  }

  private async keep(userId: string, key: string, status: number, body: unknown): Promise<void> {
    // Through JSON once, so that a repeated answer is the same to the byte.
    const json = body === undefined ? null : JSON.stringify(body);
    await this.asCaller(userId, (tx) =>
      tx.$executeRaw(Prisma.sql`
        UPDATE idempotency_keys SET status = 'done', response_status = ${status}, response_body = ${json}::text::json::jsonb
        WHERE user_id = ${userId}::uuid AND key = ${key}`),
    );
  }

  /** A key belongs to the caller in person, on routes of administrators too: app_admin has no right to anybody's keys. */
  private asCaller<T>(userId: string, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.runAs({ kind: 'user', userId }, fn);
  }

  private async forget(userId: string, key: string): Promise<void> {
    await this.asCaller(userId, (tx) =>
      tx.$executeRaw(
        Prisma.sql`DELETE FROM idempotency_keys WHERE user_id = ${userId}::uuid AND key = ${key} AND status = 'running'`,
      ),
    );
  }
}

function secretShownOnce(advice: string): AppError {
  return errors.conflict(
    'secret-shown-once',
    'The first request with this Idempotency-Key was carried out. Its answer held a secret, which is shown once ' +
      `and not kept. ${advice}`,
  );
}

/** What makes two requests the same: route, query and body. A form's body is streamed: there its length must do. */
function hashOf(request: RequestWithPrincipal): string {
  const body = request.is('multipart/form-data')
    ? (request.header('content-length') ?? '')
    : JSON.stringify(request.body ?? null);
  return createHash('sha256').update(`${request.method}\n${request.originalUrl}\n${body}`).digest('hex');
}
