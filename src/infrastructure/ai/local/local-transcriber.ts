import type { PricedUsage, Transcriber, Transcript } from '../ai.types.js';
import { cleanLine } from '../clean-text.js';
import { cancelledError, providerError } from '../provider-errors.js';
import type { TranscriptCue } from '../../media-tools/media-tools.types.js';
import { COST_SERVICES, LIMITS } from '../vocabulary.js';
import { freeUsage } from './free-usage.js';
import { detectLanguage } from './language.js';

/** What the media tools do for transcripts. */
export interface SubtitleFunctions {
  /** Takes one text subtitle track out of a video; `trackIndex` is ffmpeg's stream index. */
  extractSubtitles(
    path: string,
    trackIndex: number,
    workDir: string,
    signal?: AbortSignal,
  ): Promise<TranscriptCue[]>;
  /** Reads a .srt or .vtt file. */
  parseSubtitleFile(path: string): Promise<TranscriptCue[]>;
}

export type TranscriptionInput = Parameters<Transcriber['transcribe']>[0];

/**
 * Turns subtitles into transcripts: the side-car file that the user uploaded, else the video's own text tracks. It
 * hears nothing: a video without subtitles has no transcript here.
 */
export class LocalTranscriber implements Transcriber {
  readonly modelName = 'local-subtitles';

  constructor(private readonly subtitles: SubtitleFunctions) {}

  estimate(_input: { durationSeconds: number }): PricedUsage {
    return freeUsage(COST_SERVICES.localAnalysis, 'transcribe', this.modelName);
  }

  /**
   * @throws ProviderError `provider-bad-input` when there are subtitles but none of them can be read,
   *   `provider-cancelled`
   */
  async transcribe(
    input: TranscriptionInput,
    signal?: AbortSignal,
  ): Promise<{ transcript: Transcript | null; usage: PricedUsage }> {
    const usage = this.estimate(input);
    const failures: unknown[] = [];
    for (const source of this.sourcesOf(input, signal)) {
      if (signal?.aborted) throw cancelledError();
      try {
        const cues = cleanCues(await source.read(), input.durationSeconds);
        if (cues.length > 0) {
          const language =
            twoLetterLanguage(source.language) ?? detectLanguage(cues.map(({ text }) => text).join('\n'));
          return { transcript: { language, cues, source: source.kind }, usage };
        }
      } catch (error) {
        failures.push(error);
      }
    }
    if (signal?.aborted) throw cancelledError();
    if (failures.length > 0) {
      throw providerError(
        'provider-bad-input',
        `the subtitles cannot be read: ${cleanLine(failures[0] instanceof Error ? failures[0].message : '', 200)}`,
        false,
        'Upload the subtitles again as a .srt or .vtt file in UTF-8.',
        { cause: failures[0] },
      );
    }
    return { transcript: null, usage };
  }

  private sourcesOf(
    input: TranscriptionInput,
    signal?: AbortSignal,
  ): {
    kind: 'sidecar' | 'subtitle-track';
    language: string | null;
    read: () => Promise<TranscriptCue[]>;
  }[] {
    const { sidecarPath, subtitleTracks, path, workDir } = input;
    const tracks = subtitleTracks.map(({ index, language }) => ({
      kind: 'subtitle-track' as const,
      language,
      read: () => this.subtitles.extractSubtitles(path, index, workDir, signal),
    }));
    if (sidecarPath === undefined) return tracks;
    const sidecar = {
      kind: 'sidecar' as const,
      language: null,
      read: () => this.subtitles.parseSubtitleFile(sidecarPath),
    };
    return [sidecar, ...tracks];
  }
}

/**
 * Cues as they may be stored: times within the video and in order, clean text, no empty or endless ones.
 * @param durationSeconds of the video; 0 when unknown
 */
export function cleanCues(cues: TranscriptCue[], durationSeconds: number): TranscriptCue[] {
  const end = durationSeconds > 0 ? durationSeconds : Infinity;
  const clean: TranscriptCue[] = [];
  for (const cue of cues) {
    const startSeconds = toMilliseconds(Math.max(0, cue.startSeconds));
    const endSeconds = toMilliseconds(Math.min(end, cue.endSeconds));
    const text = cleanLine(cue.text, LIMITS.cueCharacters);
    // NaN makes the comparison false as well.
    if (text === '' || !(endSeconds > startSeconds)) continue;
    clean.push({ startSeconds, endSeconds, text });
    if (clean.length >= LIMITS.cues) break;
  }
  return clean.sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/** `eng` or `en-GB` -> `en`; null for `und` and what is no language code. */
export function twoLetterLanguage(code: string | null): string | null {
  if (code === null || code === 'und') return null;
  try {
    const language = new Intl.Locale(code).language;
    return /^[a-z]{2,3}$/.test(language) ? language : null;
  } catch {
    return null;
  }
}

function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
