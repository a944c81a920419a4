import type pg from 'pg';

/**
 * Runs `read` in a read-only transaction with the rights of a role of the application, for as long as it takes. Across
 * users the owner of the tables sees nothing: it is held to the policies as well.
 */
export async function readAs<T>(
  client: pg.ClientBase,
  role: 'app_admin' | 'app_system',
  read: () => Promise<T>,
): Promise<T> {
  await client.query('BEGIN READ ONLY');
  try {
    await client.query(`SELECT set_config('role', $1, true), set_config('statement_timeout', '0', true)`, [
      role,
    ]);
    return await read();
  } finally {
    await client.query('ROLLBACK');
  }
}
