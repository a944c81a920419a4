import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { QUERY_PSEUDONYM } from './analytics.sql.js';

/** C49: takes what is personal out of searches that are older than `days`; at most `limit` of them. */
export function anonymizeSearches(input: { days: number; limit: number }): Prisma.Sql {
  return Prisma.sql`UPDATE search_history s
SET query_text = ${QUERY_PSEUDONYM}, filters = '{}', query_vector_hash = NULL, search_session_id = NULL,
  source_page = NULL, user_agent = NULL, ip_address = NULL, anonymized_at = now()
WHERE (s.user_id, s.id, s.searched_at) IN (
  SELECT old.user_id, old.id, old.searched_at FROM search_history old
  WHERE old.searched_at < now() - make_interval(days => ${input.days}::integer) AND old.anonymized_at IS NULL
  LIMIT ${input.limit}::integer)`;
}

/** Searches that no report reaches any more, with their clicks; at most `limit` of them. */
export function deleteOldSearches(input: { days: number; limit: number }): Prisma.Sql {
  return Prisma.sql`DELETE FROM search_history s
WHERE (s.user_id, s.id, s.searched_at) IN (
  SELECT old.user_id, old.id, old.searched_at FROM search_history old
  WHERE old.searched_at < now() - make_interval(days => ${input.days}::integer)
  LIMIT ${input.limit}::integer)`;
}

/** Kept query vectors that were not asked for in `days`. */
export function deleteUnusedQueryVectors(input: { days: number }): Prisma.Sql {
  return Prisma.sql`DELETE FROM search_query_vectors v
WHERE v.last_used_at < now() - make_interval(days => ${input.days}::integer)`;
}
