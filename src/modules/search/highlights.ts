import { MARK_END, MARK_START, type MomentRow, type WordHitsRow } from './sql/page-details.sql.js';
import type { Zone } from './sql/text-leg.sql.js';

export interface Highlight {
  field: 'title' | 'labels' | 'summary' | 'text';
  /** HTML: the text escaped, what was found in <mark>. No other tag ever. */
  html: string;
}

/** Why a file is on the page. `meaning`: its whole vector is near the query's. */
export type MatchedIn = Zone | 'meaning';

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The stored text is anybody's (a file name, a sign in a picture): escaped first, marked afterwards. */
export function toHighlightHtml(headline: string): string {
  return headline
    .replace(/[&<>"']/g, (character) => ESCAPES[character]!)
    .replaceAll(MARK_START, '<mark>')
    .replaceAll(MARK_END, '</mark>');
}

/** The excerpts of one file in which words were found. */
export function highlightsOf(hits: WordHitsRow | undefined): Highlight[] {
  if (hits === undefined) return [];
  const fields = [
    ['title', hits.titleHeadline],
    ['labels', hits.labelsHeadline],
    ['summary', hits.summaryHeadline],
    ['text', hits.textHeadline],
  ] as const;
  return fields.flatMap(([field, headline]) =>
    headline?.includes(MARK_START) ? [{ field, html: toHighlightHtml(headline) }] : [],
  );
}

/** In which parts of one file the query was found, by words or by meaning. */
export function matchedInOf(
  hits: WordHitsRow | undefined,
  wordMoments: readonly MomentRow[],
  vectorMoments: readonly MomentRow[],
  isVectorHit: boolean,
): MatchedIn[] {
  const zones = new Set<MatchedIn>();
  if (hits?.inTitle) zones.add('title');
  if (hits?.inVisual) zones.add('visual');
  if (hits?.inText) zones.add('text');
  for (const moment of [...wordMoments, ...vectorMoments]) zones.add(moment.kind);
  if (isVectorHit && vectorMoments.length === 0) zones.add('meaning');
  return [...zones];
}
