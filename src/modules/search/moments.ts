import type { MomentRow } from './sql/page-details.sql.js';

export interface Moment {
  startSeconds: number;
  endSeconds: number;
  kind: 'speech' | 'visual';
  /** 0..1: the share of the query's words found here, or the cosine similarity. */
  score: number;
  text: string;
}

/** Two hits of one kind that lie at most this far apart are one moment to a viewer. */
export const MERGE_GAP_SECONDS = 2;
export const MAX_MOMENTS = 3;
/** A subtitle is one or two lines; a moment merged from many keeps the best one's words. */
const MAX_TEXT_CHARACTERS = 300;

/**
 * The best moments of one video. A window of speech that is near in meaning and holds a line with the very words is
 * replaced by that line, which is more precise; neighbours of one kind become one moment with the best one's score
 * and text.
 * @param wordHits lines of speech and key frames with words of the query, any order
 * @param vectorHits segments near in meaning, any order
 * @returns at most three, best first, then by time
 */
export function bestMoments(wordHits: readonly MomentRow[], vectorHits: readonly MomentRow[]): Moment[] {
  return allMoments(wordHits, vectorHits)
    .sort((a, b) => b.score - a.score || a.startSeconds - b.startSeconds || a.kind.localeCompare(b.kind))
    .slice(0, MAX_MOMENTS);
}

/** Every moment of one video, as bestMoments makes them. Returned by kind and time. */
export function allMoments(wordHits: readonly MomentRow[], vectorHits: readonly MomentRow[]): Moment[] {
  return mergeNeighbours([...wordHits, ...notCovered(vectorHits, wordHits)]);
}

/** The windows in which none of the lines or key frames of their kind lies that hold the very words. */
export function notCovered(vectorHits: readonly MomentRow[], wordHits: readonly MomentRow[]): MomentRow[] {
  return vectorHits.filter(
    (window) =>
      !wordHits.some(
        (hit) =>
          hit.kind === window.kind &&
          hit.startSeconds < window.endSeconds &&
          hit.endSeconds > window.startSeconds,
      ),
  );
}

/** Merges hits of one kind that overlap or lie at most MERGE_GAP_SECONDS apart. Returned by kind and time. */
export function mergeNeighbours(hits: readonly MomentRow[]): Moment[] {
  const merged: Moment[] = [];
  for (const kind of ['speech', 'visual'] as const) {
    const ordered = hits
      .filter((hit) => hit.kind === kind)
      .sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
    let last: Moment | undefined;
    for (const hit of ordered) {
      if (last !== undefined && hit.startSeconds - last.endSeconds <= MERGE_GAP_SECONDS) {
        last.endSeconds = Math.max(last.endSeconds, hit.endSeconds);
        if (hit.score > last.score) Object.assign(last, { score: clamp(hit.score), text: shorten(hit.text) });
      } else {
        last = {
          startSeconds: hit.startSeconds,
          endSeconds: hit.endSeconds,
          kind,
          score: clamp(hit.score),
          text: shorten(hit.text),
        };
        merged.push(last);
      }
    }
  }
  return merged;
}

function clamp(score: number): number {
  return Math.min(1, Math.max(0, score));
}

function shorten(text: string): string {
  return text.length <= MAX_TEXT_CHARACTERS
    ? text
    : `${text.slice(0, MAX_TEXT_CHARACTERS - 1).toWellFormed()}…`;
}
