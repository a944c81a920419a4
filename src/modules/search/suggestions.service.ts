import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../infrastructure/database/database.js';
import type { SuggestionsQuery } from './dto/search.queries.js';
import type { SuggestionsResponse } from './dto/search.response.js';
import { SearchRepository } from './search.repository.js';
import type { SuggestionRow } from './sql/suggestions.sql.js';

/** Completes what a user is typing from the user's own words. */
@Injectable()
export class SuggestionsService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(SearchRepository) private readonly repository: SearchRepository,
  ) {}

  /** At most `limit`, each text once; the kinds take turns, so that one does not crowd out the others. */
  async suggest(userId: string, { q, limit }: SuggestionsQuery): Promise<SuggestionsResponse> {
    const rows = await this.database.run((tx) =>
      this.repository.suggestions(tx, { userId, prefix: q, perKind: limit }),
    );
    return { items: takeTurns(rows, limit) };
  }
}

const KINDS = ['query', 'tag', 'label', 'title'] as const;

/** Exported for tests. */
export function takeTurns(rows: readonly SuggestionRow[], limit: number): SuggestionRow[] {
  const queues = KINDS.map((kind) => rows.filter((row) => row.kind === kind));
  const longest = Math.max(...queues.map((queue) => queue.length));
  const seen = new Set<string>();
  const taken: SuggestionRow[] = [];
  for (let round = 0; round < longest; round++) {
    for (const queue of queues) {
      const row = queue[round];
      if (row === undefined || seen.has(row.text.toLowerCase()) || taken.length >= limit) continue;
      seen.add(row.text.toLowerCase());
      taken.push({ text: row.text, kind: row.kind });
    }
  }
  return taken;
}
