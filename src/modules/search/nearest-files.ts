import { Inject, Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import { Ranker, type RankedMedia, type RankInput, type SearchPlan } from './ranker.js';
import { shownAgain, type Shown } from './shown-pages.js';

/** From here on everything is ranked at once: asking for more each time would cost more. */
const MAX_WANTED = 4_000;
const WANTED_GROWTH = 4;

/** Which part of a list of nearest files is asked for. */
export interface Walk {
  limit: number;
  /** About how many files lie before the page; a wrong number costs time. */
  passed: number;
  /** Files that are not part of the list at all: the one compared with, and what is shown beside it. */
  leftOut: (ranked: RankedMedia[]) => ReadonlySet<string>;
  /** Whether a file lies behind what was shown before. */
  isAhead: (hit: RankedMedia) => boolean;
  /** Files that were shown already when this page was asked for before. */
  later?: string[];
}

export interface NearestPage {
  page: RankedMedia[];
  /** Best first, as far as it was ranked, with what is left out. */
  ranked: RankedMedia[];
  /** Files of the whole list; at least so many when it is capped. */
  total: number;
  totalIsCapped: boolean;
  hasMore: boolean;
  plan: SearchPlan;
}

/** Walks the files nearest to a vector, page by page to the last one above the model's floor. */
@Injectable()
export class NearestFiles {
  constructor(@Inject(Ranker) private readonly ranker: Pick<Ranker, 'rank'>) {}

  /** To be called in a transaction with SEARCH_SETTINGS. @param input of a search by meaning (`byMeaning`) */
  async page(tx: Transaction, input: RankInput, walk: Walk): Promise<NearestPage> {
    const { limit, passed, later = [] } = walk;
    for (let wanted: number | null = passed + later.length + limit + 1; ; wanted = more(wanted)) {
      const ranking = await this.ranker.rank(tx, { ...input, wanted });
      const leftOut = walk.leftOut(ranking.media);
      const list = ranking.media.filter((hit) => !leftOut.has(hit.id));
      const ahead = list.filter(walk.isAhead);
      if (wanted === null || ahead.length > limit || !ranking.isCapped) {
        const again = shownAgain(ahead, later, limit);
        const isAgain = new Set(again);
        return {
          page: [...again, ...ahead.filter((hit) => !isAgain.has(hit))].slice(0, limit),
          ranked: ranking.media,
          total: list.length,
          totalIsCapped: ranking.isCapped,
          hasMore: ahead.length > limit,
          plan: ranking.plan,
        };
      }
    }
  }
}

/** A walk of a search whose row in the history says what was shown. */
export function behindShown({ before, later }: Shown, limit: number, leftOut: Walk['leftOut']): Walk {
  const isShown = new Set(before);
  return { limit, passed: before.length, later, leftOut, isAhead: (hit) => !isShown.has(hit.id) };
}

/** @returns null for everything */
const more = (wanted: number): number | null =>
  wanted * WANTED_GROWTH > MAX_WANTED ? null : wanted * WANTED_GROWTH;
