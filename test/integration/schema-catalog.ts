import type { ClientBase } from 'pg';
import { ThrowawayPostgres } from '../harness/services/postgres.js';
import type { TestDatabaseUrls } from '../harness/database.js';
import { testServices } from '../harness/test-services.js';

/** The URL with which this database is migrated: the owner role on a real server, the one login of PGlite. */
export function ownerUrlOf(urls: TestDatabaseUrls): string {
  const { postgres } = testServices();
  return postgres
    ? new ThrowawayPostgres(postgres).ownerUrl(new URL(urls.adminUrl).pathname.slice(1))
    : urls.adminUrl;
}

const NOT_OF_EXTENSION = (column: string): string =>
  `NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = ${column} AND d.deptype = 'e')`;
const IN_PUBLIC = `relnamespace = 'public'::regnamespace`;

/** Everything that migrations make in schema public, one line per thing, sorted. */
const CATALOG = `
SELECT line FROM (
  SELECT 'table ' || relname || ' ' || relkind::text || ' rls ' || relrowsecurity || ' ' || relforcerowsecurity || ' '
    || coalesce(reloptions::text, '') || ' ' || pg_get_userbyid(relowner) AS line
  FROM pg_class WHERE ${IN_PUBLIC} AND relkind IN ('r', 'p', 'v') AND relname <> '_prisma_migrations' AND ${NOT_OF_EXTENSION('pg_class.oid')}
  UNION ALL
  SELECT 'column ' || c.relname || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' '
    || attgenerated::text || attidentity::text || attstorage::text || ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE ${IN_PUBLIC} AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v') AND ${NOT_OF_EXTENSION('c.oid')}
    AND relname <> '_prisma_migrations'
  UNION ALL
  SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND conrelid::regclass::text <> '_prisma_migrations'
  UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
  UNION ALL SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
  WHERE ${IN_PUBLIC} AND NOT tgisinternal
  UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || pg_get_userbyid(proowner) FROM pg_proc
  WHERE pronamespace = 'public'::regnamespace AND ${NOT_OF_EXTENSION('pg_proc.oid')}
  UNION ALL SELECT 'view ' || viewname || definition FROM pg_views v WHERE schemaname = 'public' AND viewname NOT LIKE 'pg_stat%'
  UNION ALL SELECT 'policy ' || p::text FROM pg_policies p WHERE schemaname = 'public'
  UNION ALL SELECT 'row ' || u::text FROM (SELECT tier_name, max_uploads_per_month, priority_level, features_enabled FROM usage_limits) u
  UNION ALL SELECT 'row ' || name FROM cost_services
  UNION ALL SELECT 'row ' || name FROM categories WHERE user_id IS NULL
) AS catalog ORDER BY 1`;

export async function catalogLines(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(CATALOG);
  return rows.map(({ line }) => line);
}
