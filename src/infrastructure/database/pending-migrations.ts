import { readdirSync } from 'node:fs';
import pg from 'pg';

/** Names of the migrations in the folder, oldest first. */
export function migrationNames(migrationsDir: string): string[] {
  return readdirSync(migrationsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * Whether the database lacks a migration of the folder. Asked with a connection that may read Prisma's table (the
 * owner's, or the embedded engine's), to save the second or two that the Prisma CLI takes to find out.
 */
export async function hasPendingMigrations(ownerUrl: string, migrationsDir: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rows: present } = await client.query<{ present: boolean }>(
      "SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS present",
    );
    if (!present[0]?.present) return true;
    const { rows } = await client.query<{ name: string }>(
      'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
    );
    const applied = new Set(rows.map((row) => row.name));
    return migrationNames(migrationsDir).some((name) => !applied.has(name));
  } finally {
    await client.end();
  }
}
