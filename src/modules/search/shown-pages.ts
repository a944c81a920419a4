import { Inject, Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import { unusableCursor } from '../../infrastructure/http/cursor.js';
import type { SearchCursor } from './search-cursor.js';
import { SearchHistoryRepository } from './search-history.repository.js';

/** What a search has shown, seen from a page. */
export interface Shown {
  /** Before it. */
  before: string[];
  /** From it on, because it was asked for earlier. */
  later: string[];
}

export const NOTHING_SHOWN: Shown = { before: [], later: [] };

/**
 * What a page that is asked for again shows first: the same files as before, as far as they are still there, so that an
 * answer that got lost is given again and no file falls between two pages.
 * @param open files not shown on pages before, best first
 * @param later ids shown from this page on
 */
export function shownAgain<Hit extends { id: string }>(open: Hit[], later: string[], limit: number): Hit[] {
  const byId = new Map(open.map((hit) => [hit.id, hit]));
  return later.flatMap((id) => byId.get(id) ?? []).slice(0, limit);
}

/** What a search of the history has shown, page by page. */
@Injectable()
export class ShownPages {
  constructor(@Inject(SearchHistoryRepository) private readonly history: SearchHistoryRepository) {}

  /** @throws AppError 400 when the search is not in the history any more */
  async read(tx: Transaction, userId: string, { searchId, searchedAt, shown }: SearchCursor): Promise<Shown> {
    const all = await this.history.shownResults(tx, userId, searchId, new Date(searchedAt));
    if (all === null) {
      // The history was cleared meanwhile, or is too old.
      throw unusableCursor(
        'This search is not in your history any more. Start again without a cursor.',
        '/cursor',
      );
    }
    return { before: all.slice(0, shown), later: all.slice(shown) };
  }

  /** Notes the page that a cursor asked for: what was shown may be clicked. */
  note(tx: Transaction, userId: string, cursor: SearchCursor, mediaFileIds: string[]): Promise<void> {
    const { searchId, searchedAt, shown: before } = cursor;
    return this.history.noteShownPage(tx, {
      ...{ userId, searchId, searchedAt: new Date(searchedAt), before, mediaFileIds },
    });
  }
}
