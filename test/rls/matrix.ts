import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { addRow, addUser, makeRow, type Row } from '../factories/rows.js';
import { ACTORS, expectedOutcome, TENANT_TABLES, VERBS, type ActorName, type Verb } from './expectations.js';

/** Two users who own one row of every tenant table, in the transaction that is open on `client`. */
export interface Scene {
  client: pg.Client;
  /** The login of the application without a role taken on. */
  loginRole: string;
  users: { first: string; second: string };
  /** "table.column" of every column that takes NULL. */
  nullable: Set<string>;
  /** Primary key columns of each table. */
  keys: Record<string, string[]>;
  rows: Record<string, { first: Row; second: Row }>;
}

/** Runs one statement with a role and a user, undoes it, and says what came of it. Nothing is committed. */
const ATTEMPT = `
CREATE FUNCTION pg_temp.attempt(role_name text, acting_user text, statement text, counted boolean DEFAULT false)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE touched bigint;
BEGIN
  PERFORM set_config('app.current_user_id', acting_user, true), set_config('role', role_name, true);
  EXECUTE statement;
  GET DIAGNOSTICS touched = ROW_COUNT;
  -- Undoes the statement and the settings.
  RAISE EXCEPTION USING ERRCODE = 'MX001', MESSAGE = CASE
    WHEN counted THEN touched::text || ' rows' WHEN touched > 0 THEN 'done' ELSE 'hidden' END;
EXCEPTION
  WHEN SQLSTATE 'MX001' THEN RETURN SQLERRM;
  WHEN insufficient_privilege THEN RETURN 'refused';
  WHEN OTHERS THEN RETURN SQLSTATE;
END $$`;

/** Opens a transaction and sets the scene in it. End it with `ROLLBACK`. */
export async function setScene(client: pg.Client): Promise<Scene> {
  await client.query('BEGIN');
  await client.query(ATTEMPT);
  const users = { first: await addUser(client), second: await addUser(client) };
  const rows: Scene['rows'] = {};
  for (const table of Object.keys(TENANT_TABLES)) {
    if (table === 'users') continue;
    rows[table] = {
      first: await addRow(client, table, users.first),
      second: await addRow(client, table, users.second),
    };
  }
  rows['users'] = { first: { id: users.first }, second: { id: users.second } };
  const nullable = await client.query<{ name: string }>(
    `SELECT attrelid::regclass || '.' || attname AS name FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
     WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attnotnull`,
  );
  return {
    ...{ client, users, rows, loginRole: await loginRole(client), keys: await primaryKeys(client) },
    nullable: new Set(nullable.rows.map(({ name }) => name)),
  };
}

/** The runtime login of scripts/init-db.sql, or on the embedded engine, which has none, a role made like it. */
async function loginRole(client: pg.Client): Promise<string> {
  const { rowCount } = await client.query(`SELECT 1 FROM pg_roles WHERE rolname = 'mediauser'`);
  if (rowCount === 1) return 'mediauser';
  await client.query('CREATE ROLE login_without_role NOINHERIT');
  await client.query('GRANT app_user, app_admin, app_system TO login_without_role');
  return 'login_without_role';
}

async function primaryKeys(client: pg.Client): Promise<Record<string, string[]>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(`
    SELECT c.relname AS table, array_agg(a.attname::text ORDER BY k.position) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname`);
  return Object.fromEntries(rows.map(({ table, columns }) => [table, columns]));
}

const ROLES: Record<Exclude<ActorName, 'login'>, string> = {
  ...{ owner: 'app_user', 'other user': 'app_user', nobody: 'app_user' },
  ...{ admin: 'app_admin', system: 'app_system' },
};

/**
 * Tries every actor and verb on one table and compares with the declaration.
 * @returns one line per difference: "table | actor | verb: expected x, got y"
 */
export async function matrixViolations(scene: Scene, table: string): Promise<string[]> {
  const attempts: { actor: ActorName; verb: Verb; sql: string }[] = [];
  const fresh = {
    first: await freshRow(scene, table, scene.users.first),
    second: await freshRow(scene, table, scene.users.second),
  };
  for (const actor of ACTORS) {
    for (const verb of VERBS) {
      const statement = statementFor(scene, table, actor, verb, fresh);
      const role = actor === 'login' ? scene.loginRole : ROLES[actor];
      const sql = `pg_temp.attempt(${[role, actingUser(scene, actor), statement].map(pg.escapeLiteral).join(', ')})`;
      attempts.push({ actor, verb, sql });
    }
  }
  const { rows } = await scene.client.query<{ outcomes: string[] }>(
    `SELECT ARRAY[${attempts.map(({ sql }) => sql).join(', ')}] AS outcomes`,
  );
  return attempts.flatMap(({ actor, verb }, index) => {
    const [expected, got] = [expectedOutcome(table, actor, verb), rows[0]?.outcomes[index]];
    return expected === got ? [] : [`${table} | ${actor} | ${verb}: expected ${expected}, got ${got}`];
  });
}

/**
 * Statements without WHERE, which need no right to read: the policy for reading does not help the others out here.
 * The first user must touch exactly the own rows, and must not give them away.
 */
export async function sweepViolations(scene: Scene, table: string): Promise<string[]> {
  const { client, users, nullable } = scene;
  const owner = TENANT_TABLES[table]?.owner ?? 'user_id';
  const { rows: counted } = await client.query<{ own: string }>(
    `SELECT count(*)::text AS own FROM ${table} WHERE ${owner} = $1`,
    [users.first],
  );
  const own = `${counted[0]?.own} rows`;
  const touch = touchedColumn(table, 'owner');
  const may = (verb: Verb): boolean => expectedOutcome(table, 'owner', verb) === 'done';
  const sweeps = [
    { sql: `DELETE FROM ${table}`, expected: may('delete own') ? own : 'refused' },
    { sql: `UPDATE ${table} SET ${owner} = ${literal(users.second)}`, expected: 'refused' },
  ];
  if (nullable.has(`${table}.${touch}`)) {
    sweeps.push({
      sql: `UPDATE ${table} SET ${touch} = NULL`,
      expected: may('update own') ? own : 'refused',
    });
  }
  const { rows } = await client.query<{ outcomes: string[] }>(
    `SELECT ARRAY[${sweeps
      .map(({ sql }) => `pg_temp.attempt('app_user', ${literal(users.first)}, ${literal(sql)}, true)`)
      .join(', ')}] AS outcomes`,
  );
  return sweeps.flatMap(({ sql, expected }, index) => {
    const got = rows[0]?.outcomes[index];
    return got === expected ? [] : [`${sql}: expected ${expected}, got ${got}`];
  });
}

/** The number of attempts that one table costs, for a test that wants to know that they were made. */
export const ATTEMPTS_PER_TABLE = ACTORS.length * VERBS.length;

/** A file in the trash: a live one is also stopped by the policy of the search document that its trigger writes. */
const freshRow = ({ client }: Scene, table: string, userId: string): Promise<Row> =>
  makeRow(
    client,
    table,
    table === 'users' ? randomUUID() : userId,
    table === 'media_files' ? { deleted_at: new Date().toISOString() } : {},
  );

function touchedColumn(table: string, actor: ActorName): string {
  const touch = TENANT_TABLES[table]?.touch;
  return typeof touch === 'string' ? touch : (touch?.[actor] ?? touch?.owner ?? 'id');
}

/** "other user" is the second user, for whom own and foreign are the other way round. */
const actingUser = (scene: Scene, actor: ActorName): string =>
  actor === 'owner' ? scene.users.first : actor === 'other user' ? scene.users.second : '';

function statementFor(
  { keys, rows, users }: Scene,
  table: string,
  actor: ActorName,
  verb: Verb,
  fresh: { first: Row; second: Row },
): string {
  const expectation = TENANT_TABLES[table];
  const own = actor === 'other user' ? ('second' as const) : ('first' as const);
  const foreign = own === 'first' ? ('second' as const) : ('first' as const);
  const side = verb.endsWith('foreign') ? foreign : own;
  const row = rows[table]?.[side] ?? {};
  const where = (keys[table] ?? []).map((column) => `${column} = ${literal(row[column])}`).join(' AND ');
  const column = touchedColumn(table, actor);
  const owner = expectation?.owner ?? 'user_id';
  switch (verb.split(' ')[0]) {
    case 'select':
      return `SELECT ${owner} FROM ${table} WHERE ${where}`;
    case 'insert': {
      const columns = Object.keys(fresh[side]);
      const values = columns.map((name) => literal(fresh[side][name]));
      return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`;
    }
    case 'update':
      return `UPDATE ${table} SET ${column} = ${column} WHERE ${where}`;
    case 'move':
      return `UPDATE ${table} SET ${owner} = ${literal(table === 'users' ? randomUUID() : users[foreign])} WHERE ${where}`;
    default:
      return `DELETE FROM ${table} WHERE ${where}`;
  }
}

function literal(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `ARRAY[${value.map(literal).join(', ')}]`;
  return pg.escapeLiteral(String(value));
}
