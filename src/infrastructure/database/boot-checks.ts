import type { Logger } from 'pino';
import { Prisma } from './generated/client.js';
import type { Database, ServerFacts } from './database.js';
import { migrationNames } from './pending-migrations.js';

const MINIMUM_POSTGRES = 150_000;
/** Connections that PostgreSQL keeps for superusers by default. */
const RESERVED_CONNECTIONS = 3;
/** From here on a membership itself says whether it is inherited; the login's attribute is only its default. */
const INHERITANCE_PER_GRANT = 160_000;

export class UnsafeDatabaseError extends Error {
  override name = 'UnsafeDatabaseError';
}

/**
 * Faults of the login or the server under which the product refuses to start (threat A9). Pure, for tests.
 * The embedded engine has one superuser login; there every transaction takes on a role that is none.
 */
export function databaseFaults(
  facts: ServerFacts,
  options: { embedded: boolean; poolMax: number },
): string[] {
  const faults: string[] = [];
  if (facts.serverVersion < MINIMUM_POSTGRES) faults.push('PostgreSQL 15 or later is needed.');
  const [major = 0, minor = 0] = (facts.vectorVersion ?? '0.0').split('.').map(Number);
  if (major === 0 && minor < 8) faults.push('pgvector 0.8 or later is needed: CREATE EXTENSION vector.');
  if (facts.tables === 0) faults.push('The database is empty: run `npm run db:migrate` first.');
  else if (facts.grantedRoles < 3) {
    faults.push(
      'The login may not take on app_user, app_admin and app_system: GRANT app_user, app_admin, app_system TO <login>.',
    );
  }
  if (options.embedded) return faults;
  const unsafe =
    'so row-level security would not hold. Use a login of its own for the application (see scripts/init-db.sql).';
  if (facts.isSuperuser) faults.push(`DATABASE_URL logs in as a superuser, ${unsafe}`);
  if (facts.bypassesRls) faults.push(`DATABASE_URL logs in with BYPASSRLS, ${unsafe}`);
  if (facts.ownedTables > 0)
    faults.push(`The login of DATABASE_URL owns ${facts.ownedTables} tables, ${unsafe}`);
  // A superuser inherits everything, and is refused already.
  if (!facts.isSuperuser && facts.inheritedRoles.length > 0) faults.push(inheritanceFault(facts));
  if (options.poolMax > facts.maxConnections - RESERVED_CONNECTIONS) {
    faults.push(
      `DATABASE_POOL_MAX=${options.poolMax} does not fit into max_connections=${facts.maxConnections} of the server.`,
    );
  }
  return faults;
}

/** Policies are for roles. A login that inherits one is let through by its policies with no role taken on, and no user. */
function inheritanceFault(facts: ServerFacts): string {
  const roles = facts.inheritedRoles.join(', ');
  const remedy =
    facts.serverVersion >= INHERITANCE_PER_GRANT
      ? `GRANT ${roles} TO <login> WITH INHERIT FALSE; ALTER ROLE <login> NOINHERIT`
      : 'ALTER ROLE <login> NOINHERIT';
  return `The login of DATABASE_URL inherits the rights of ${roles}, so they would hold outside of a role as well. It must be NOINHERIT: ${remedy}.`;
}

/** Refuses an unsafe or outdated database. @throws UnsafeDatabaseError naming everything that is wrong. */
export async function assertSafeDatabase(
  database: Database,
  options: { embedded: boolean; poolMax: number; migrationsDir: string },
  logger: Logger,
): Promise<ServerFacts> {
  const facts = await database.inspectServer();
  const faults = databaseFaults(facts, options);
  if (faults.length === 0) {
    const pending = await pendingMigrations(database, options.migrationsDir);
    if (pending.length > 0)
      faults.push(`${pending.length} migrations are not applied: run \`npm run db:migrate\`.`);
  }
  if (faults.length > 0) throw new UnsafeDatabaseError(faults.join('\n'));
  // An API and a worker process each have a pool of their own.
  if (!options.embedded && options.poolMax * 2 > facts.maxConnections - RESERVED_CONNECTIONS) {
    logger.warn(
      { poolMax: options.poolMax, maxConnections: facts.maxConnections },
      'two processes with this pool exceed max_connections',
    );
  }
  return facts;
}

/** Names of migrations in the folder that the database has not finished. */
export async function pendingMigrations(database: Database, migrationsDir: string): Promise<string[]> {
  const rows = await database.runAsSystem('start-up', (tx) =>
    tx.$queryRaw<{ name: string }[]>(
      Prisma.sql`SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
    ),
  );
  const applied = new Set(rows.map((row) => row.name));
  return migrationNames(migrationsDir).filter((name) => !applied.has(name));
}
