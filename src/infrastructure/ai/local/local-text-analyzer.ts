import type { PricedUsage, TextAnalysis, TextAnalysisInput, TextAnalyzer } from '../ai.types.js';
import { cleanLine, truncate } from '../clean-text.js';
import { cancelledError } from '../provider-errors.js';
import { COST_SERVICES, LIMITS } from '../vocabulary.js';
import { categorize, contentWarningsOf } from './categorize.js';
import { freeUsage } from './free-usage.js';
import { extractSentences, topKeywords } from './keywords.js';
import { detectLanguage } from './language.js';
import { sentimentOf } from './sentiment.js';

/** The work is proportional to the text; two hours of speech are about 120,000 characters. */
const MAX_TRANSCRIPT_CHARACTERS = 300_000;

/** Sums up what is known of a file by counting its words. Deterministic, and free of charge. */
export class LocalTextAnalyzer implements TextAnalyzer {
  readonly modelName = 'local-word-statistics';

  estimate(_input: TextAnalysisInput): PricedUsage {
    return freeUsage(COST_SERVICES.localAnalysis, 'analyze_text', this.modelName);
  }

  /** @throws ProviderError `provider-cancelled` */
  async analyze(
    input: TextAnalysisInput,
    signal?: AbortSignal,
  ): Promise<{ analysis: TextAnalysis; usage: PricedUsage }> {
    if (signal?.aborted) throw cancelledError();
    const transcript = input.transcript.slice(0, MAX_TRANSCRIPT_CHARACTERS);
    const title = readableTitle(input.title);
    const detectedText = input.detectedText.slice(0, LIMITS.textLines);
    const written = [title, ...detectedText, transcript].join('\n');
    const seen = input.labels.filter(({ kind }) => kind === 'object' || kind === 'scene');
    const language = detectLanguage(written);
    const analysis: TextAnalysis = {
      summary: summarize(input, title, transcript),
      keywords: topKeywords([
        { text: title, weight: 3 },
        ...seen.map(({ name, confidence }) => ({ text: name, weight: 2 * confidence })),
        { text: detectedText.join('\n'), weight: 1.5 },
        { text: transcript, weight: 1 },
        ...input.labels
          .filter(({ kind }) => kind === 'color')
          .map(({ name, confidence }) => ({ text: name, weight: 0.5 * confidence })),
      ]),
      category: categorize({ ...input, title, transcript, detectedText }),
      // The words of feeling are English; some of them mean something else in other languages.
      sentiment: language === null || language === 'en' ? sentimentOf(written) : 'NEUTRAL',
      contentWarnings: contentWarningsOf(written),
      language,
    };
    return { analysis, usage: this.estimate(input) };
  }
}

/** A file name as words: `IMG_2041-beach_party.JPG` -> `IMG 2041 beach party`. */
function readableTitle(title: string): string {
  return cleanLine(
    title
      .replace(/\.(?:jpe?g|png|gif|webp|heic|heif|tiff?|avif|mp4|mov|m4v|webm|mkv|avi|mpe?g)$/i, '')
      .replace(/[_-]+/g, ' '),
    300,
  );
}

/** What is said, else what is seen, else what is written in the picture, else the name and the facts. */
function summarize(input: TextAnalysisInput, title: string, transcript: string): string {
  const parts: string[] = [];
  const picture = cleanLine(input.imageSummaries[0], 400);
  const spoken = extractSentences(transcript, 3, 600);
  if (input.fileType === 'image' && picture !== '') parts.push(picture);
  if (spoken !== '') parts.push(spoken);
  if (input.fileType === 'video') {
    const length =
      input.durationSeconds === undefined ? '' : ` of ${describeDuration(input.durationSeconds)}`;
    const views = input.imageSummaries.length;
    if (spoken === '')
      parts.push(
        `A video${length}${picture === '' ? '' : `; ${views > 1 ? 'its first picture' : 'a picture of it'}: ${picture}`}`,
      );
  }
  if (parts.length === 0 && input.detectedText.length > 0) {
    parts.push(`With the text “${truncate(cleanLine(input.detectedText.join(' '), 400), 300)}”.`);
  }
  if (parts.length === 0) parts.push(title === '' ? `A file of type ${input.fileType}.` : `${title}.`);
  return cleanLine(parts.join(' '), LIMITS.summaryCharacters);
}

function describeDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}
