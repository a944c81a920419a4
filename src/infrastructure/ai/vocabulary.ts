/**
 * The closed word lists that every provider answers with, whatever it looked at. A model's own words in these
 * fields are data from a stranger: what is not on the list is dropped.
 */

/** Names of the system categories; `null` in an analysis means that the provider is not sure. */
export const CATEGORIES = [
  'people',
  'nature',
  'places',
  'food',
  'documents',
  'screenshots',
  'work',
  'events',
  'products',
  'art',
] as const;
export type Category = (typeof CATEGORIES)[number];

/** What a viewer may want to be warned of. */
export const CONTENT_WARNINGS = [
  'nudity',
  'violence',
  'blood',
  'weapons',
  'drugs',
  'self-harm',
  'hate',
  'profanity',
] as const;
export type ContentWarning = (typeof CONTENT_WARNINGS)[number];

/**
 * Upper bounds of what is kept from one analysis. They keep a hostile or broken answer from filling rows, pages and
 * embedding inputs; a normal answer is far below them.
 */
export const LIMITS = {
  labels: 60,
  labelCharacters: 60,
  textLines: 200,
  textLineCharacters: 500,
  summaryCharacters: 1000,
  keywords: 20,
  keywordCharacters: 60,
  cueCharacters: 1000,
  cues: 20_000,
} as const;

/** Rows of `cost_services` that the providers book under. */
export const COST_SERVICES = {
  localAnalysis: 'local_analysis',
  localEmbeddings: 'local_embeddings',
  openaiEmbeddings: 'openai_embeddings',
  openaiChat: 'openai_gpt',
  openaiTranscription: 'openai_transcription',
  /** Whatever the provider: paid by the operator, not by the owner of the file (see costOfPeriod). */
  reindexing: 'reindexing',
} as const;
