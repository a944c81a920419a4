import type { DetectedLabel, Sentiment } from '../ai.types.js';
import { clampUnit, cleanLine } from '../clean-text.js';
import type { Category, ContentWarning } from '../vocabulary.js';
import { CATEGORIES, CONTENT_WARNINGS, LIMITS } from '../vocabulary.js';

/** Kinds of label that a vision model may give; measured labels have others. */
export const LABEL_KINDS = ['object', 'scene', 'activity'] as const;

/** Lower case, short, once per name; best first. */
export function cleanLabels(labels: { name: string; confidence: number; kind: string }[]): DetectedLabel[] {
  const byName = new Map<string, DetectedLabel>();
  for (const { name, confidence, kind } of labels.slice(0, 10 * LIMITS.labels)) {
    const clean = cleanLine(name.toLowerCase(), LIMITS.labelCharacters);
    const label = {
      name: clean,
      confidence: clampUnit(confidence),
      kind: LABEL_KINDS.find((known) => known === kind) ?? 'object',
    };
    if (clean !== '' && label.confidence > (byName.get(clean)?.confidence ?? -1)) byName.set(clean, label);
  }
  return [...byName.values()].sort((a, b) => b.confidence - a.confidence).slice(0, LIMITS.labels);
}

/** Only warnings of the vocabulary, in its order. */
export function cleanWarnings(warnings: string[]): ContentWarning[] {
  return CONTENT_WARNINGS.filter((known) => warnings.includes(known));
}

export function cleanCategory(category: string | null): Category | null {
  return CATEGORIES.find((known) => known === category?.toLowerCase()) ?? null;
}

/** Providers write it in any case; what is none of the four is NEUTRAL. */
export function cleanSentiment(sentiment: string): Sentiment {
  const known: Sentiment[] = ['POSITIVE', 'NEGATIVE', 'MIXED'];
  return known.find((candidate) => candidate === sentiment.toUpperCase()) ?? 'NEUTRAL';
}
