import { cleanLine } from '../../infrastructure/ai/clean-text.js';
import { mergeNeighbours, notCovered } from './moments.js';
import type { MatchedPartsRow } from './sql/match-reasons.sql.js';
import type { MomentRow } from './sql/page-details.sql.js';

/**
 * Where a query was found, the weightiest evidence first: what people wrote before what was detected, what names the
 * file before what occurs in it, words before meaning.
 */
export const REASON_CODES = [
  'title',
  'file-name',
  'tag',
  'category',
  'label',
  'summary',
  'file-details',
  'text-in-picture',
  'speech',
  'scene',
  'meaning',
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** Plain text throughout, never HTML: names and their like are the owner's or a model's words. */
export interface MatchReason {
  code: ReasonCode;
  /** The tag, category or label. */
  value?: string;
  /** Seconds from the start of the video. */
  atSeconds?: number;
  /** Short form: `title`, `tag:holiday`, `text in picture`, `speech@42.0s`, `meaning`, `meaning@12.5s`. */
  text: string;
}

export const MAX_REASONS = 12;
/** As long as a stored name can be. */
const MAX_VALUE_CHARACTERS = 100;

interface Matches {
  /** Null when words were not searched or the file holds none of them. */
  parts: MatchedPartsRow | null;
  /** Moments of this file, any order. */
  wordMoments: readonly MomentRow[];
  vectorMoments: readonly MomentRow[];
  /** A vector of the file, of the whole or of a part, is near the query's. */
  isVectorHit: boolean;
}

/**
 * Why one file is on the page. Lines of speech and key frames that hold words of the query are `speech` and `scene`,
 * neighbours counted once; windows that are near in meaning alone are `meaning` with their time. The bound leaves out
 * second and further reasons of one kind before the first of another.
 * @returns at most MAX_REASONS, each text once, in the order of REASON_CODES; names in the order they are stored,
 *   moments by score and time
 */
export function matchReasons(matches: Matches): MatchReason[] {
  const byText = new Map<string, MatchReason>();
  for (const reason of everyReason(matches)) {
    if (!byText.has(reason.text)) byText.set(reason.text, reason);
  }
  const ofCode = Map.groupBy(byText.values(), (reason) => reason.code);
  const inTurns = REASON_CODES.flatMap((code) =>
    (ofCode.get(code) ?? []).map((reason, turn) => ({ reason, turn, weight: REASON_CODES.indexOf(code) })),
  ).sort((a, b) => a.turn - b.turn || a.weight - b.weight);
  return inTurns
    .slice(0, MAX_REASONS)
    .sort((a, b) => a.weight - b.weight || a.turn - b.turn)
    .map(({ reason }) => reason);
}

function everyReason({ parts, wordMoments, vectorMoments, isVectorHit }: Matches): MatchReason[] {
  const meaning = momentReasons('meaning', notCovered(vectorMoments, wordMoments));
  return [
    ...(parts === null ? [] : partReasons(parts)),
    ...momentReasons(
      'speech',
      wordMoments.filter((moment) => moment.kind === 'speech'),
    ),
    ...momentReasons(
      'scene',
      wordMoments.filter((moment) => moment.kind === 'visual'),
    ),
    ...meaning,
    ...(isVectorHit && meaning.length === 0 ? [plain('meaning')] : []),
  ];
}

function partReasons(parts: MatchedPartsRow): MatchReason[] {
  const when = (isFound: boolean, code: ReasonCode, text?: string): MatchReason[] =>
    isFound ? [plain(code, text)] : [];
  return [
    ...when(parts.inTitle, 'title'),
    ...when(parts.inFileName, 'file-name', 'file name'),
    ...nameReasons('tag', parts.tags),
    ...nameReasons('category', parts.categories),
    ...nameReasons('label', parts.labels),
    ...when(parts.inSummary, 'summary'),
    ...when(parts.inFileDetails, 'file-details', 'file details'),
    ...when(parts.inText, 'text-in-picture', 'text in picture'),
    ...when(parts.inSpeech, 'speech'),
  ];
}

const plain = (code: ReasonCode, text: string = code): MatchReason => ({ code, text });

function nameReasons(code: 'tag' | 'category' | 'label', names: readonly string[]): MatchReason[] {
  return names.flatMap((name) => {
    const value = cleanLine(name, MAX_VALUE_CHARACTERS);
    return value === '' ? [] : [{ code, value, text: `${code}:${value}` }];
  });
}

function momentReasons(code: 'speech' | 'scene' | 'meaning', moments: readonly MomentRow[]): MatchReason[] {
  return mergeNeighbours(moments)
    .sort((a, b) => b.score - a.score || a.startSeconds - b.startSeconds)
    .map(({ startSeconds }) => ({
      code,
      atSeconds: startSeconds,
      text: `${code}@${startSeconds.toFixed(1)}s`,
    }));
}
