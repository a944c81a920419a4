import type { EstimateFactsRow } from './sql/embedding-models.sql.js';

/** What is to be embedded, before it is. Whole numbers; where files were never embedded, the mean of the others is taken. */
export interface ReindexWork {
  files: number;
  guessedFiles: number;
  segments: number;
  characters: number;
  expectedTokens: number;
  maxTokens: number;
}

/** OpenAI's rule of thumb for English; other scripts take more bytes to a character and about as many to a token. */
const BYTES_PER_TOKEN = 4;
/** A token is at least one byte; and the marks that some tokenizers add (as OpenAiTextEmbedder.estimate reserves). */
const EXTRA_TOKENS_PER_TEXT = 8;
/** A picture whose texts nobody knows: one text of a few lines. */
const DEFAULT_BYTES_PER_FILE = 400;

/** Turns the sums over the library into an estimate. */
export function reindexWork(facts: EstimateFactsRow): ReindexWork {
  const { files, knownFiles, knownSegments } = facts;
  const guessedFiles = files - knownFiles;
  const scaled = (known: number, perUnknownFile: number): number =>
    known + Math.ceil(guessedFiles * (knownFiles > 0 ? known / knownFiles : perUnknownFile));
  const segments = scaled(knownSegments, 1);
  const bytes = scaled(Number(facts.knownBytes), DEFAULT_BYTES_PER_FILE);
  return {
    files,
    guessedFiles,
    segments,
    characters: scaled(Number(facts.knownCharacters), DEFAULT_BYTES_PER_FILE),
    expectedTokens: Math.ceil(bytes / BYTES_PER_TOKEN),
    maxTokens: bytes + segments * EXTRA_TOKENS_PER_TEXT,
  };
}
