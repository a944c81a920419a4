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
import { sqlStateOf } from '../database/sql-state.js';
import { AppError, errors } from '../errors/app-error.js';
import { LOGGER } from '../infrastructure.tokens.js';
import type { Logger } from '../observability/logger.js';
import type { RequestWithPrincipal } from './principal.js';
import { refuseRestOfBody } from './refuse-body.js';
import { SECRET_ANSWER } from './route-access.js';

const KEY = /^[\x21-\x7e]{1,255}$/;
/** How long a second request waits for the first one's answer before it is told to come back. */
const WAIT_MS = 20_000;
const POLL_MS = 100;
/** A request that has been "running" for longer than this died with its process; the next one takes over. */
const ABANDONED_SECONDS = 300;
/** Pauses before an answer that could not be stored is stored again. The client waits for its answer meanwhile. */
const KEEP_AGAIN_AFTER_MS = [200, 1_000];

interface StoredAnswer {
  requestHash: string;
  status: 'running' | 'done';
  responseStatus: number | null;
  /** The JSON text as it was sent; null = no body. */
  responseBody: string | null;
}

/**
 * Makes a POST that carries an Idempotency-Key happen once: the first request does the work, every other one with the
 * same key gets the same answer to the byte (threat B10). The row of the key is the lock. Failures are not kept: they may
 * be tried again under the same key. Kept for 24 hours. An answer marked @SecretAnswer is not kept, nor repeated.
 *
 * Forms take no key. Whether two of them are the same shows only once their files have been read, and their bytes differ
 * from one sending to the next by the boundary that the client makes up. An upload does not need one: bytes that the
 * user has already are recognised, and nothing is stored or charged for them.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(LOGGER) private readonly logger: Logger,
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
    if (request.is('multipart/form-data')) {
      refuseRestOfBody(request, response);
      throw errors.badRequest(
        'idempotency-key-on-form',
        'A form (multipart/form-data) takes no Idempotency-Key. Send it without: an upload of bytes that you have ' +
          'already is recognised, and answered with the file that is there.',
      );
    }
    const hash = hashOf(request);
    const secretAdvice = this.reflector.get<string | undefined>(SECRET_ANSWER, context.getHandler());
    return from(this.claim(userId, key, request, hash)).pipe(
      mergeMap((earlier) => {
        if (earlier) {
          if (secretAdvice !== undefined) throw secretShownOnce(secretAdvice);
          response.status(earlier.responseStatus ?? 200).setHeader('Idempotency-Replayed', 'true');
          return of(asSent(response, earlier.responseBody));
        }
        return next.handle().pipe(
          // Before the answer is kept: only what the handler itself failed at may be tried again under the same key.
          catchError(async (error: unknown) => {
            await this.forget(userId, key);
            throw error;
          }),
          mergeMap(async (body: unknown) => {
            const isSecret = secretAdvice !== undefined;
            const text = isSecret || body === undefined || body === null ? null : JSON.stringify(body);
            await this.keep(userId, key, response.statusCode, text);
            return isSecret ? body : asSent(response, text);
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

  /**
   * Stores the answer. What it answers has happened, so that a failure here is not the caller's: they get their answer,
   * and the key stays taken, so that a second request does not do the work again.
   */
  private async keep(userId: string, key: string, status: number, text: string | null): Promise<void> {
    for (const pauseMs of [...KEEP_AGAIN_AFTER_MS, null]) {
      try {
        await this.asCaller(userId, (tx) =>
          tx.$executeRaw(Prisma.sql`
            UPDATE idempotency_keys SET status = 'done', response_status = ${status}, response_body = ${text}
            WHERE user_id = ${userId}::uuid AND key = ${key}`),
        );
        return;
      } catch (error) {
        if (pauseMs === null) this.logger.error(faultOf(error), 'answer to an Idempotency-Key not stored');
        else await sleep(pauseMs);
      }
    }
  }

  /** A key belongs to the caller in person, on routes of administrators too: app_admin has no right to anybody's keys. */
  private asCaller<T>(userId: string, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.runAs({ kind: 'user', userId }, fn);
  }

  /** Never throws: what the handler failed at is what the caller has to hear of. */
  private async forget(userId: string, key: string): Promise<void> {
    await this.asCaller(userId, (tx) =>
      tx.$executeRaw(
        Prisma.sql`DELETE FROM idempotency_keys WHERE user_id = ${userId}::uuid AND key = ${key} AND status = 'running'`,
      ),
    ).catch((error: unknown) => this.logger.warn(faultOf(error), 'Idempotency-Key of a failure not removed'));
  }
}

/** Never the message of a database error: it may hold parts of the answer. */
function faultOf(error: unknown): { sqlState: string | null; name: string } {
  return { sqlState: sqlStateOf(error), name: error instanceof Error ? error.name : typeof error };
}

/** The first answer and its repetitions are the same text, so that they are the same to the byte. */
function asSent(response: Response, text: string | null): string | undefined {
  if (text === null) return undefined;
  // As Express has it for an object; it leaves a type that is set as it is.
  response.type('application/json');
  return text;
}

function secretShownOnce(advice: string): AppError {
  return errors.conflict(
    'secret-shown-once',
    'The first request with this Idempotency-Key was carried out. Its answer held a secret, which is shown once ' +
      `and not kept. ${advice}`,
  );
}

/** What makes two requests the same: route, query and body. */
function hashOf(request: RequestWithPrincipal): string {
  const body = JSON.stringify(request.body ?? null);
  return createHash('sha256').update(`${request.method}\n${request.originalUrl}\n${body}`).digest('hex');
}
