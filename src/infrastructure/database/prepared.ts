import { createHash } from 'node:crypto';
import { sqlStateOf } from './sql-state.js';
import type { Prisma } from './generated/client.js';

/** A name counts against a server's memory in every connection; texts marked as prepared are few and never change. */
const MAX_NAMES = 500;

const marked = new WeakMap<Prisma.Sql, PlanChoice>();
const names = new Map<string, string>();

/**
 * Marks a statement to be parsed and planned once per connection instead of each time, where the connection allows it.
 * For short statements that are asked with every request: planning costs them more than running (docs/adr/0010). Not
 * for statements whose best plan depends on their parameters, nor for texts that vary.
 */
export function prepared(statement: Prisma.Sql, plan: PlanChoice = 'planner'): Prisma.Sql {
  marked.set(statement, plan);
  return statement;
}

/** Which plan a prepared statement runs by. To change the choice within a transaction costs a tiny statement. */
export type PlanChoice =
  /** PostgreSQL decides: anew for the parameters, as long as it believes that to be cheaper than one plan for all. */
  | 'planner'
  /** One plan for all, always: where planning takes long and the parameters do not matter. */
  | 'kept'
  /** Anew each time: where the parameters decide which indexes can be used. Parsing is saved. */
  | 'custom';

const PLAN_CACHE_MODES = { kept: 'force_generic_plan', custom: 'force_custom_plan' } as const;

/** How a statement is prepared; nothing for one that is not. */
export interface Preparation {
  /** Prepared under this name, once per connection. The same text has the same name. */
  name?: string;
  plan?: PlanChoice;
}

/**
 * What marks a statement for the driver, or nothing when it is not marked.
 * @param text that of the statement
 * @param generation names of another one are other statements to the server
 */
export function preparationOf(statement: Prisma.Sql, text: string, generation = 0): Preparation {
  const plan = marked.get(statement);
  if (plan === undefined) return {};
  let name = names.get(text);
  if (name === undefined) {
    if (names.size >= MAX_NAMES) return {};
    name = createHash('sha256').update(text).digest('hex').slice(0, 24);
    names.set(text, name);
  }
  return { name: `s${generation}_${name}`, plan };
}

/**
 * How the statements of one transaction are sent, each by the plan that it asks for. What changes the choice of plans goes
 * out before the statement, and only when the choice in force will not do; nothing is waited for in between.
 * @returns the statement's own answer
 */
export function plannedSender<Statement extends Preparation, Answer>(
  send: (message: Statement | string) => Promise<Answer>,
): (statement: Statement) => Promise<Answer> {
  let mode = 'auto';
  return (statement) => {
    const wanted = planCacheMode(statement, mode);
    if (wanted !== mode) {
      mode = wanted;
      // Where it fails, the transaction has failed, and the statement says so.
      send(`SET LOCAL plan_cache_mode = ${mode}`).catch(() => undefined);
    }
    return send(statement);
  };
}

function planCacheMode({ name, plan = 'planner' }: Preparation, current: string): string {
  if (plan !== 'planner') return PLAN_CACHE_MODES[plan];
  // A short statement is as good with one plan for all, and soon has it anyway. What is not prepared has none of its own,
  // but may call functions in PL/pgSQL, which have.
  return name !== undefined && current === PLAN_CACHE_MODES.kept ? current : 'auto';
}

/**
 * Whether an error says that prepared statements do not work on these connections: a pooler in transaction mode hands a
 * connection's statements to somebody else (PgBouncer before 1.21).
 */
export function refusesPrepared(error: unknown): boolean {
  const state = sqlStateOf(error);
  // invalid_sql_statement_name, duplicate_prepared_statement
  return state === '26000' || state === '42P05';
}

/** Whether a table was changed under a prepared statement, so that it gives other columns than it was prepared for. */
export function outdatesPrepared(error: unknown): boolean {
  // feature_not_supported
  return sqlStateOf(error) === '0A000' && error instanceof Error && /cached plan/.test(error.message);
}
