import type { DetectedLabel, ImageAnalysis } from '../../../infrastructure/ai/ai.types.js';
import { clampUnit, cleanLine } from '../../../infrastructure/ai/clean-text.js';
import { LIMITS } from '../../../infrastructure/ai/vocabulary.js';

/** Kind of the labels that the text analysis gives; all other kinds come from looking at the picture. */
export const KEYWORD_KIND = 'keyword';
/** How many keywords become labels: enough to be found by, few enough not to drown what was seen. */
export const MAX_KEYWORDS = 10;
const MAX_KIND_CHARACTERS = 30;

/**
 * Labels as `media_labels` holds them: one per name, NFC, lower case, without control characters, the highest
 * confidence of a name with the kind it had there. Sorted by confidence, then by name, so that equal input gives
 * equal rows; at most LIMITS.labels.
 */
export function normaliseLabels(labels: readonly DetectedLabel[]): DetectedLabel[] {
  const best = new Map<string, DetectedLabel>();
  for (const label of labels) {
    const name = cleanLine(cleanLine(label.name, LIMITS.labelCharacters).normalize('NFC').toLowerCase(), 100);
    if (name === '') continue;
    const confidence = round(clampUnit(label.confidence));
    const known = best.get(name);
    if (known && known.confidence >= confidence) continue;
    const kind = cleanLine(label.kind, MAX_KIND_CHARACTERS).toLowerCase();
    best.set(name, { name, confidence, kind: kind === '' || kind === KEYWORD_KIND ? 'object' : kind });
  }
  return [...best.values()]
    .sort((a, b) => b.confidence - a.confidence || compare(a.name, b.name))
    .slice(0, LIMITS.labels);
}

/**
 * Keywords of the text analysis as labels of the kind `keyword`, at most MAX_KEYWORDS. The provider lists the most
 * important first and gives no confidence of its own: it falls from 0.9 by 0.05 a place.
 */
export function keywordLabels(keywords: readonly string[]): DetectedLabel[] {
  const labels = new Map<string, DetectedLabel>();
  for (const keyword of keywords) {
    if (labels.size === MAX_KEYWORDS) break;
    const name = cleanLine(cleanLine(keyword, LIMITS.keywordCharacters).normalize('NFC').toLowerCase(), 100);
    if (name === '' || labels.has(name)) continue;
    labels.set(name, { name, confidence: round(0.9 - 0.05 * labels.size), kind: KEYWORD_KIND });
  }
  return [...labels.values()];
}

/** What was found in one key frame, and the share (0..1) of the video during which that frame stands for the picture. */
export interface FrameFinding {
  analysis: ImageAnalysis;
  share: number;
}

/**
 * Labels of a whole video. A label's confidence is its highest in any frame times (0.5 + 0.5 x the share of the video
 * during which it was seen): what fills the video ranks before what flits by, and yet what is seen once keeps half of
 * its confidence, so that it can be found.
 */
export function mergeFrameLabels(frames: readonly FrameFinding[]): DetectedLabel[] {
  const merged = new Map<string, { label: DetectedLabel; share: number }>();
  for (const { analysis, share } of frames) {
    for (const label of normaliseLabels(analysis.labels)) {
      const known = merged.get(label.name);
      if (!known) merged.set(label.name, { label, share });
      else {
        known.share += share;
        if (label.confidence > known.label.confidence) known.label = label;
      }
    }
  }
  return normaliseLabels(
    [...merged.values()].map(({ label, share }) => ({
      ...label,
      confidence: label.confidence * (0.5 + 0.5 * Math.min(1, share)),
    })),
  );
}

/** Lines of text of all frames in order, each once whatever its case and spacing; at most LIMITS.textLines. */
export function mergeTextLines(lines: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const line of lines) {
    const text = cleanLine(line, LIMITS.textLineCharacters);
    const key = text.normalize('NFKC').toLowerCase();
    if (key !== '' && !seen.has(key) && seen.size < LIMITS.textLines) seen.set(key, text);
  }
  return [...seen.values()];
}

/** A dominant colour as `media_files.dominant_colors` holds it; `share` 0..1. */
export type DominantColor = ImageAnalysis['colors'][number];

/** Most colours kept of one file. */
const MAX_COLORS = 8;

/** Colours of a whole video: each frame's shares weighted by its share of the time; largest first. */
export function mergeFrameColors(frames: readonly FrameFinding[]): DominantColor[] {
  const merged = new Map<string, DominantColor & { largest: number }>();
  for (const { analysis, share } of frames) {
    for (const color of analysis.colors) {
      const part = clampUnit(color.share) * share;
      const known = merged.get(color.name);
      if (!known) merged.set(color.name, { ...color, share: part, largest: part });
      else {
        known.share += part;
        // The shade that is seen most stands for the name.
        if (part > known.largest) Object.assign(known, { hex: color.hex, largest: part });
      }
    }
  }
  return normaliseColors([...merged.values()]);
}

/** Colours with clean names, shares in 0..1, largest first, at most eight. */
export function normaliseColors(colors: readonly DominantColor[]): DominantColor[] {
  return colors
    .filter(({ hex }) => /^#[0-9a-f]{6}$/i.test(hex))
    .map(({ name, hex, share }) => ({
      name: cleanLine(name, LIMITS.labelCharacters).toLowerCase(),
      hex: hex.toLowerCase(),
      share: round(clampUnit(share)),
    }))
    .sort((a, b) => b.share - a.share || compare(a.name, b.name))
    .slice(0, MAX_COLORS);
}

/** The hash as the column wants it, or null when a provider gave something else. */
export function validPerceptualHash(hash: string): string | null {
  return /^[0-9a-f]{16}$/i.test(hash) ? hash.toLowerCase() : null;
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** By code unit: the same on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
