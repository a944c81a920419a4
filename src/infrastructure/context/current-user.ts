import { currentScope } from './request-context.js';
import { errors } from '../errors/app-error.js';

/**
 * The user in whose name this request or job runs. Stands in every where-clause beside row-level security, so that
 * the planner sees real sizes and a lost policy would not be a leak.
 * @throws AppError 401 when nobody is authenticated
 */
export function currentUserId(): string {
  const userId = currentScope()?.actor?.userId;
  if (!userId) throw errors.unauthenticated();
  return userId;
}
