import type { ClientBase } from 'pg';

/** Names of the monthly partitions of the search history, for LIKE. */
export const MONTHLY_PARTITIONS = String.raw`search\_history\_2%`;

/** As if no partition had been made ahead for a year and more: every search goes to the default partition. */
export async function dropMonthlyPartitions(client: ClientBase): Promise<void> {
  await client.query(`
    DO $$ DECLARE partition regclass; BEGIN
      FOR partition IN SELECT oid FROM pg_class WHERE relname LIKE '${MONTHLY_PARTITIONS}' AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE search_history DETACH PARTITION %s', partition);
        EXECUTE format('DROP TABLE %s', partition);
      END LOOP;
    END $$`);
}

/** Months from this one that have a partition, e.g. [0, 1]. */
export async function monthsMade(client: ClientBase): Promise<number[]> {
  const { rows } = await client.query<{ n: number }>(`
    SELECT n FROM generate_series(0, 40) n
    WHERE to_regclass('search_history_' || to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n),
      'YYYY_MM')) IS NOT NULL ORDER BY n`);
  return rows.map(({ n }) => n);
}

/** The months from `first` to `last`. */
export const months = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
