import type { ClientBase } from 'pg';
import {
  DEFINER_FUNCTIONS,
  FOREIGN_KEYS_WITHOUT_OWNER,
  OWNER_OF_TABLES,
  SHARED_POLICIES,
  SHARED_TABLES,
  TENANT_TABLES,
  UNIQUE_WITHOUT_OWNER,
} from './expectations.js';

const OWNER = (column: string): string => `(${column} = ( SELECT app_user_id() AS app_user_id))`;

type PolicyFact = [role: string, command: string, using: string | null, check: string | null];

/** What the declared tables say about policies: "table.policy" -> fact. */
export function expectedPolicies(): Record<string, PolicyFact> {
  const policies: Record<string, PolicyFact> = { ...SHARED_POLICIES };
  for (const [table, declared] of Object.entries(TENANT_TABLES)) {
    const owner = OWNER(declared.owner ?? 'user_id');
    const own = declared.userPolicies ?? {
      [declared.userPolicy ?? `${table}_user_policy`]: ['ALL', owner, owner] as [string, string, string],
    };
    for (const [name, [command, using, check]] of Object.entries(own)) {
      policies[`${table}.${name}`] = ['app_user', command, using, check];
    }
    policies[`${table}.${declared.adminPolicy ?? `${table}_admin_policy`}`] = [
      'app_admin',
      'ALL',
      'true',
      'true',
    ];
    policies[`${table}.${table}_system_policy`] = ['app_system', 'ALL', 'true', 'true'];
    for (const [name, [role, command]] of Object.entries(declared.definerPolicies ?? {})) {
      policies[`${table}.${name}`] = [role, command, 'true', command === 'SELECT' ? null : 'true'];
    }
  }
  return policies;
}

/** Differences between the declared policies and pg_policies, both ways. */
export async function policyViolations(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ key: string; fact: string }>(`
    SELECT tablename || '.' || policyname AS key,
      json_build_array(array_to_string(roles, ','), cmd, qual, with_check)::text AS fact
    FROM pg_policies WHERE schemaname = 'public' AND permissive = 'PERMISSIVE'`);
  const found = new Map(rows.map(({ key, fact }) => [key, JSON.parse(fact) as PolicyFact]));
  const expected = expectedPolicies();
  const violations: string[] = [];
  for (const [key, fact] of Object.entries(expected)) {
    const actual = found.get(key);
    if (!actual) violations.push(`policy ${key} is missing`);
    else if (JSON.stringify(actual) !== JSON.stringify(fact)) {
      violations.push(`policy ${key}: expected ${JSON.stringify(fact)}, got ${JSON.stringify(actual)}`);
    }
  }
  for (const key of found.keys())
    if (!(key in expected)) violations.push(`policy ${key} is declared nowhere`);
  return violations;
}

/** Rows of one text column, as a list. */
async function list(client: ClientBase, sql: string, values: unknown[] = []): Promise<string[]> {
  const { rows } = await client.query<{ item: string }>(sql, values);
  return rows.map(({ item }) => item);
}

const TABLES = `pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')`;

/** What the shape of the tables must be for the policies to hold (threats A4, A9; design section 3). */
export async function structureViolations(client: ClientBase): Promise<string[]> {
  const violations: string[] = [];
  const report = (items: string[], text: string): void =>
    void violations.push(...items.map((item) => `${item}: ${text}`));
  const tenants = Object.keys(TENANT_TABLES);

  const tables = await list(client, `SELECT relname AS item FROM ${TABLES} AND NOT relispartition`);
  report(
    tables.filter((table) => !(table in TENANT_TABLES) && !(table in SHARED_TABLES)),
    'is neither a declared tenant table nor a shared one',
  );
  const unprotected = `SELECT c.relname AS item FROM ${TABLES} AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    AND (c.relname = ANY ($1) OR c.relispartition)`;
  report(await list(client, unprotected, [tenants]), 'row-level security is not enabled and forced');

  const keyed = await list(
    client,
    `SELECT c.relname AS item FROM ${TABLES} AND c.relname = ANY ($1) AND NOT EXISTS (
       SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'user_id')`,
    [tenants],
  );
  report(
    keyed.filter((table) => !TENANT_TABLES[table]?.keyReason),
    'the primary key does not begin with user_id',
  );

  const unique = await list(
    client,
    `SELECT i.indexrelid::regclass::text AS item FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)
       AND NOT EXISTS (SELECT 1 FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND a.attname = 'user_id')`,
    [tenants],
  );
  report(
    unique.filter((index) => !(index in UNIQUE_WITHOUT_OWNER)),
    'a unique index without user_id is an oracle (A4)',
  );
  report(
    Object.keys(UNIQUE_WITHOUT_OWNER).filter((index) => !unique.includes(index)),
    'is allowed as a unique index without user_id but does not exist',
  );

  const foreignKeys = await list(
    client,
    `SELECT f.conname AS item FROM pg_constraint f
     JOIN pg_class child ON child.oid = f.conrelid JOIN pg_class parent ON parent.oid = f.confrelid
     WHERE f.contype = 'f' AND f.conparentid = 0 AND child.relname = ANY ($1) AND parent.relname = ANY ($1)
       AND parent.relname <> 'users' AND NOT EXISTS (
         SELECT 1 FROM unnest(f.conkey, f.confkey) AS pair(child_column, parent_column)
         JOIN pg_attribute a ON a.attrelid = child.oid AND a.attnum = pair.child_column
         JOIN pg_attribute b ON b.attrelid = parent.oid AND b.attnum = pair.parent_column
         WHERE a.attname = 'user_id' AND b.attname = 'user_id')`,
    [tenants],
  );
  report(
    foreignKeys.filter((name) => !(name in FOREIGN_KEYS_WITHOUT_OWNER)),
    'a foreign key that can point to another user',
  );
  return [...violations, ...(await codeViolations(client))];
}

/** Functions and views that could see past the policies, and roles that could skip them. */
async function codeViolations(client: ClientBase): Promise<string[]> {
  const violations: string[] = [];
  const { rows: definers } = await client.query<{ name: string; owner: string; settings: string[] | null }>(
    `
    SELECT p.oid::regprocedure::text AS name, p.proconfig AS settings,
      CASE WHEN p.proowner = t.relowner THEN $1 ELSE pg_get_userbyid(p.proowner)::text END AS owner
    FROM pg_proc p JOIN pg_class t ON t.oid = 'public.search_history'::regclass WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`,
    [OWNER_OF_TABLES],
  );
  for (const { name, owner, settings } of definers) {
    if (!(name in DEFINER_FUNCTIONS))
      violations.push(`${name}: a SECURITY DEFINER function that is not listed`);
    else if (DEFINER_FUNCTIONS[name] !== owner) violations.push(`${name}: is owned by ${owner}`);
    if (!settings?.includes('search_path=pg_catalog, public, pg_temp'))
      violations.push(`${name}: its search_path is not pinned`);
  }
  for (const name of Object.keys(DEFINER_FUNCTIONS)) {
    if (!definers.some((definer) => definer.name === name))
      violations.push(`${name}: does not run as its owner any more`);
  }
  const views = await list(
    client,
    `SELECT relname AS item FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
       AND NOT coalesce(reloptions, '{}') @> '{security_invoker=true}'
       AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_class.oid AND d.deptype = 'e')`,
  );
  violations.push(...views.map((view) => `${view}: a view without security_invoker`));
  const roles = await list(
    client,
    `SELECT rolname AS item FROM pg_roles WHERE (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb)
       AND rolname IN ('app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader')`,
  );
  violations.push(...roles.map((role) => `${role}: a role with rights of its own`));
  const creators = await list(
    client,
    `SELECT rolname AS item FROM pg_roles WHERE has_schema_privilege(oid, 'public', 'CREATE')
       AND rolname IN ('app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader')`,
  );
  violations.push(...creators.map((role) => `${role}: may create objects in schema public (C53)`));
  const owners = await list(
    client,
    `SELECT relname AS item FROM ${TABLES} AND pg_get_userbyid(relowner) IN ('app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader')`,
  );
  return [...violations, ...owners.map((table) => `${table}: is owned by a role that transactions take on`)];
}

/** Privileges of the roles on tables, columns and functions, one sorted line each; for the committed snapshot. */
export async function grants(client: ClientBase): Promise<string[]> {
  return list(
    client,
    `WITH roles AS (SELECT oid, rolname FROM pg_roles
       WHERE rolname IN ('app_user', 'app_admin', 'app_system', 'app_definer', 'search_reader')
       UNION ALL SELECT 0, 'PUBLIC'),
     acl AS (
       SELECT 'table ' || c.relname AS object, x.grantee, x.privilege_type AS privilege, NULL::text AS column_name
       FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) x
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
         AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
       UNION ALL
       SELECT 'table ' || c.relname, x.grantee, x.privilege_type, a.attname::text
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN LATERAL aclexplode(a.attacl) x
       WHERE c.relnamespace = 'public'::regnamespace
       UNION ALL
       SELECT 'function ' || p.oid::regprocedure::text, x.grantee, x.privilege_type, NULL
       FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
       WHERE p.pronamespace = 'public'::regnamespace AND x.grantee <> p.proowner
         AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')),
     per_privilege AS (
       SELECT r.rolname, object, privilege || coalesce(
         ' (' || string_agg(column_name, ', ' ORDER BY column_name) || ')', '') AS privilege
       FROM acl JOIN roles r ON r.oid = acl.grantee GROUP BY r.rolname, object, acl.privilege)
     SELECT rolname || ' | ' || object || ' | ' || string_agg(privilege, ', ' ORDER BY privilege) AS item
     FROM per_privilege GROUP BY rolname, object ORDER BY 1`,
  );
}
