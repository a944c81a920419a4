import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { currentScope } from '../context/request-context.js';
import { constraintOf, isUnavailable, sqlStateOf } from '../database/sql-state.js';
import { MediaRejectedError } from '../media-tools/media-tools.types.js';
import { StorageUnavailableError } from '../storage/object-storage.js';
import { AppError, errors } from './app-error.js';

/** Prefix of problem types; the code behind it is what clients compare. */
const PROBLEM_TYPE_PREFIX = 'urn:ai-media-search:problem:';

/** Turns whatever was thrown into one RFC 9457 answer. Nothing of an unknown error leaves the house. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const problem = toAppError(exception);
    if (problem.status >= 500) {
      this.logger.error(
        {
          err: summarize(exception),
          sqlState: sqlStateOf(exception),
          code: problem.code,
          path: request.path,
        },
        'request failed',
      );
    }
    if (response.headersSent) {
      // A stream that broke half-way: the only honest sign left is to cut the connection.
      response.destroy();
      return;
    }
    response.status(problem.status);
    for (const [name, value] of Object.entries(problem.extra.headers ?? {})) response.setHeader(name, value);
    response.setHeader('Cache-Control', 'no-store');
    response.type('application/problem+json').send(
      JSON.stringify({
        type: PROBLEM_TYPE_PREFIX + problem.code,
        title: problem.title,
        status: problem.status,
        detail: problem.detail,
        instance: request.originalUrl.split('?')[0],
        requestId: currentScope()?.requestId ?? null,
        code: problem.code,
        ...(problem.extra.errors ? { errors: problem.extra.errors } : {}),
        ...problem.extra.members,
      }),
    );
  }
}

/** What the caller is told about an error. Exported for tests. */
export function toAppError(exception: unknown): AppError {
  if (exception instanceof AppError) return exception;
  if (exception instanceof MediaRejectedError)
    return errors.unsupportedMedia(exception.code, exception.message);
  if (exception instanceof StorageUnavailableError) {
    return exception.reason === 'full'
      ? errors.insufficientStorage(exception)
      : errors.unavailable(
          'storage-unavailable',
          'The file store does not answer. Try again in a moment.',
          exception,
        );
  }
  if (exception instanceof HttpException) return fromHttpException(exception);
  const fromParser = fromBodyParser(exception);
  if (fromParser) return fromParser;
  const fromDatabase = fromSqlState(exception);
  if (fromDatabase) return fromDatabase;
  return new AppError(
    500,
    'internal-error',
    'Internal error',
    'Something went wrong on our side. The request id helps us to find it.',
    {
      cause: exception,
    },
  );
}

function fromHttpException(exception: HttpException): AppError {
  const status = exception.getStatus();
  if (status === 404) return errors.notFound('route or resource');
  const titles: Record<number, [code: string, title: string]> = {
    400: ['bad-request', 'The request is not valid'],
    401: ['unauthenticated', 'Not logged in'],
    403: ['forbidden', 'Not allowed'],
    405: ['method-not-allowed', 'Method not allowed'],
    408: ['request-timeout', 'Request timed out'],
    413: ['payload-too-large', 'Too large'],
    415: ['unsupported-media-type', 'Content type not accepted'],
    503: ['unavailable', 'Temporarily unavailable'],
  };
  const [code, title] = titles[status] ?? [`http-${status}`, 'Request failed'];
  return new AppError(status, code, title, exception.message);
}

/** Errors of Express' body parser and router carry `type` and `status`. */
function fromBodyParser(exception: unknown): AppError | null {
  const { type, status } = exception as { type?: unknown; status?: unknown };
  if (type === 'entity.parse.failed')
    return errors.badRequest('malformed-json', 'The body is not valid JSON.');
  if (type === 'entity.too.large') return errors.payloadTooLarge('A JSON body may hold 1 MB at most.');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return new AppError(
      415,
      'unsupported-encoding',
      'Encoding not accepted',
      'Send UTF-8, plain or gzip-compressed.',
    );
  }
  if (type === 'request.aborted')
    return errors.badRequest('request-aborted', 'The connection closed before the body was complete.');
  if (exception instanceof URIError)
    return errors.badRequest('malformed-url', 'The URL holds an invalid percent escape.');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new AppError(status, 'bad-request', 'The request is not valid', 'The request could not be read.');
  }
  return null;
}

/** The one map from SQLSTATE to answers. */
function fromSqlState(exception: unknown): AppError | null {
  if (isUnavailable(exception)) {
    return errors.unavailable(
      'database-unavailable',
      'The database does not answer. Try again in a moment.',
      exception,
    );
  }
  switch (sqlStateOf(exception)) {
    case '23505':
      return errors.conflict('already-exists', 'Something with this name or content exists already.');
    case '23503':
      return errors.conflict(
        'reference-missing',
        'Something that this request refers to does not exist any more.',
      );
    case '23514':
      return /transition/.test(constraintOf(exception) ?? '') ||
        /cannot go from/.test(String((exception as Error).message))
        ? errors.conflict('invalid-transition', 'The present status does not allow this.')
        : errors.badRequest('value-out-of-range', 'A value is outside of what is allowed.');
    case '22P02':
    case '22P05':
    case '22021':
      return errors.badRequest(
        'invalid-text',
        'A value holds characters that cannot be stored (for example NUL).',
      );
    case '22001':
    case '22003':
      return errors.badRequest('value-out-of-range', 'A value is too long or too large.');
    case '57014':
      return errors.unavailable(
        'timed-out',
        'The request took too long and was stopped. Try a narrower one.',
        exception,
      );
    case '40001':
    case '40P01':
      return errors.unavailable(
        'busy',
        'Too many changes at the same time. Try again in a moment.',
        exception,
      );
    default:
      return null;
  }
}

/** What may be logged of an unknown error: never its parameters. */
function summarize(exception: unknown): { name: string; message: string; stack?: string } {
  if (!(exception instanceof Error)) return { name: 'NonError', message: typeof exception };
  const cause = exception instanceof AppError ? exception.extra.cause : undefined;
  const source = cause instanceof Error ? cause : exception;
  return {
    name: source.name,
    message: source.message.slice(0, 500),
    stack: source.stack?.split('\n').slice(0, 12).join('\n'),
  };
}
