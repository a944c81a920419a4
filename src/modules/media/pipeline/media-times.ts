import { cleanLine } from '../../../infrastructure/ai/clean-text.js';
import { LIMITS } from '../../../infrastructure/ai/vocabulary.js';
import type { TranscriptCue } from '../../../infrastructure/media-tools/media-tools.types.js';

/** The database keeps media times as numeric(10,3): milliseconds. */
const MILLISECOND = 0.001;

/** Seconds rounded to the millisecond, never below 0. */
export function roundSeconds(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1000) / 1000);
}

/**
 * A range that the database accepts: start < end, both within the media (C37).
 * @param durationSeconds length of the media, or null when it is unknown
 * @returns null when nothing of the range lies within the media
 */
export function clampRange(
  startSeconds: number,
  endSeconds: number,
  durationSeconds: number | null,
): { startSeconds: number; endSeconds: number } | null {
  if (!Number.isFinite(startSeconds) || !Number.isFinite(endSeconds)) return null;
  const start = roundSeconds(startSeconds);
  const end = roundSeconds(durationSeconds === null ? endSeconds : Math.min(endSeconds, durationSeconds));
  return start < end ? { startSeconds: start, endSeconds: end } : null;
}

/**
 * Cues as they are stored: clean text, within the media, in order of time, at most LIMITS.cues. Cues without words and
 * exact repetitions are left out.
 */
export function normaliseCues(
  cues: readonly TranscriptCue[],
  durationSeconds: number | null,
): TranscriptCue[] {
  const kept = new Map<string, TranscriptCue>();
  for (const cue of cues) {
    const text = cleanLine(cue.text, LIMITS.cueCharacters);
    const range = clampRange(cue.startSeconds, cue.endSeconds, durationSeconds);
    if (text === '' || range === null) continue;
    kept.set(`${range.startSeconds} ${range.endSeconds} ${text}`, { ...range, text });
    if (kept.size === LIMITS.cues) break;
  }
  return [...kept.values()].sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/**
 * What each key frame stands for: from its own time to the next frame's, the last one to the end.
 * @param timestamps seconds, ascending
 * @returns one range per timestamp, each at least a millisecond long
 */
export function keyframeRanges(
  timestamps: readonly number[],
  durationSeconds: number | null,
): { startSeconds: number; endSeconds: number }[] {
  return timestamps.map((timestamp, index) => {
    const startSeconds = roundSeconds(timestamp);
    const next = timestamps[index + 1] ?? durationSeconds ?? startSeconds + 1;
    return { startSeconds, endSeconds: roundSeconds(Math.max(next, startSeconds + MILLISECOND)) };
  });
}

/**
 * The two-letter (ISO 639-1) code of a language where there is one, as the text search chooses its stemmer by it;
 * `ger`, `deu` and `de-AT` all give `de`. Null for what is no language or stands for "unknown".
 */
export function languageCode(language: string | null | undefined): string | null {
  if (!language) return null;
  try {
    const code = new Intl.Locale(language).language;
    // zxx: no linguistic content; mul: several; mis: uncoded.
    return !code || ['und', 'zxx', 'mul', 'mis'].includes(code) || code.length > 3 ? null : code;
  } catch {
    return null;
  }
}
