import { Prisma } from '../../../infrastructure/database/generated/client.js';

/** Click-through rate: share of the files shown that were clicked (C70), null while nothing was shown. */
const CLICK_THROUGH_RATE = (shown: Prisma.Sql, clicked: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`round(cardinality(${clicked})::numeric / nullif(cardinality(${shown}), 0), 4)`;

/** Adds a further page to what a search has shown. Asking for the same page twice adds nothing. */
export function appendShownResults(input: {
  userId: string;
  searchId: string;
  searchedAt: Date;
  mediaFileIds: string[];
}): Prisma.Sql {
  const shown = Prisma.sql`s.shown_results || ARRAY(
    SELECT page.id FROM unnest(${input.mediaFileIds}::uuid[]) WITH ORDINALITY AS page(id, position)
    WHERE page.id <> ALL (s.shown_results) ORDER BY page.position)`;
  return Prisma.sql`UPDATE search_history s
SET shown_results = ${shown}, click_through_rate = ${CLICK_THROUGH_RATE(Prisma.sql`(${shown})`, Prisma.sql`s.clicked_results`)}
WHERE s.user_id = ${input.userId}::uuid AND s.id = ${input.searchId}::uuid
  AND s.searched_at = ${input.searchedAt.toISOString()}::timestamptz`;
}

/** The search that is about to be clicked, locked so that two clicks at once are both counted. */
export interface ClickedSearchRow {
  searchedAt: Date;
  shownResults: string[];
}

export function lockSearch(input: { userId: string; searchId: string }): Prisma.Sql {
  return Prisma.sql`SELECT s.searched_at AS "searchedAt", s.shown_results AS "shownResults"
FROM search_history s WHERE s.user_id = ${input.userId}::uuid AND s.id = ${input.searchId}::uuid
FOR UPDATE`;
}

/** Derives the array and the rate from the click rows. */
export function refreshClicks(input: { userId: string; searchId: string; searchedAt: Date }): Prisma.Sql {
  const clicked = Prisma.sql`ARRAY(SELECT c.media_file_id FROM search_clicks c
    WHERE c.user_id = ${input.userId}::uuid AND c.search_id = ${input.searchId}::uuid ORDER BY c.clicked_at, c.id)`;
  return Prisma.sql`UPDATE search_history s
SET clicked_results = ${clicked}, click_through_rate = ${CLICK_THROUGH_RATE(Prisma.sql`s.shown_results`, clicked)}
WHERE s.user_id = ${input.userId}::uuid AND s.id = ${input.searchId}::uuid
  AND s.searched_at = ${input.searchedAt.toISOString()}::timestamptz
RETURNING s.click_through_rate::float8 AS "clickThroughRate"`;
}
