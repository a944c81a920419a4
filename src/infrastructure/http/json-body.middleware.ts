import { json, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { errors } from '../errors/app-error.js';
import { toAppError } from '../errors/problem.filter.js';

/** JSON bodies: the largest is a PATCH with 16 KB of metadata; 1 MB is ample. */
const LIMIT = '1mb';
/** The deepest body of the API is a filter of nested groups; what lies deeper is an attack on recursive code. */
const MAX_DEPTH = 32;

/** Parses JSON bodies. What arrives behind it is a plain object of bounded depth, or no body at all. */
export function jsonBodyMiddleware(): RequestHandler {
  const parse = json({ limit: LIMIT, strict: true });
  return (request: Request, response: Response, next: NextFunction): void => {
    parse(request, response, (error?: unknown) => {
      // Named here: Nest would turn a SyntaxError into a bare 400 with the parser's words.
      if (error) return next(toAppError(error));
      const fault = request.body === undefined ? null : faultOf(request.body);
      return fault ? next(errors.badRequest('invalid-body', fault)) : next();
    });
  };
}

/** Walks without recursion: the depth is what is being checked. */
function faultOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return 'The body must be a JSON object.';
  const stack: { value: object; depth: number }[] = [{ value: body, depth: 1 }];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    if (entry.depth > MAX_DEPTH) return `The body is nested more than ${MAX_DEPTH} levels deep.`;
    if (Object.hasOwn(entry.value, '__proto__')) return 'The body holds the field name "__proto__".';
    for (const value of Object.values(entry.value)) {
      if (typeof value === 'object' && value !== null) stack.push({ value, depth: entry.depth + 1 });
    }
  }
  return null;
}
