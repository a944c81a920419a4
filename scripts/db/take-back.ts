import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';

/** Name of the migration that was applied last, or null when there is none. */
export async function newestAppliedMigration(client: pg.ClientBase): Promise<string | null> {
  const { rows: table } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS present`,
  );
  if (!table[0]?.present) return null;
  const { rows } = await client.query<{ name: string }>(
    `SELECT migration_name AS name FROM _prisma_migrations
     WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name DESC LIMIT 1`,
  );
  return rows[0]?.name ?? null;
}

/**
 * Runs the down.sql of a migration and removes its row from Prisma's table, both or neither.
 * @throws when the file is missing or a statement fails; nothing has changed then
 */
export async function takeBack(client: pg.ClientBase, name: string, migrationsDir: string): Promise<void> {
  const script = await readFile(path.join(migrationsDir, name, 'down.sql'), 'utf8');
  await client.query('BEGIN');
  try {
    await client.query(script);
    await client.query('DELETE FROM _prisma_migrations WHERE migration_name = $1', [name]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
