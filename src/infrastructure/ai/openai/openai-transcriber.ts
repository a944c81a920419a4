import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { toFile } from 'openai';
import { z } from 'zod';
import type { PricedUsage, Transcriber, Transcript } from '../ai.types.js';
import { ProviderError } from '../ai.types.js';
import { cancelledError, providerError } from '../provider-errors.js';
import type { SubtitleFunctions, TranscriptionInput } from '../local/local-transcriber.js';
import { LocalTranscriber, cleanCues, twoLetterLanguage } from '../local/local-transcriber.js';
import type { TranscriptCue } from '../../media-tools/media-tools.types.js';
import { MediaRejectedError } from '../../media-tools/media-tools.types.js';
import { cleanLine } from '../clean-text.js';
import { COST_SERVICES } from '../vocabulary.js';
import type { ResolvedOpenAiConfig } from './openai-config.js';
import type { OpenAiConnection } from './openai-connection.js';
import { badAnswer } from './openai-errors.js';
import type { UsageHeader } from './openai-usage.js';
import { addUsage, secondsUsage, withSpent } from './openai-usage.js';

/** What the media tools do for speech. */
export interface AudioFunctions {
  /** Writes a part of the first sound track as mono MP3 to `outPath`. */
  extractAudio(
    path: string,
    outPath: string,
    options: { startSeconds: number; durationSeconds: number; signal?: AbortSignal },
  ): Promise<unknown>;
}

/** One piece of audio: at 32 kbit/s about 5 MB, far below the service's 25 MB, and an answer within a minute or two. */
const PIECE_SECONDS = 1_200;
const MAX_PIECE_BYTES = 25_000_000;
/** Encoders fill up the last frame, so a piece may be billed as a second longer. */
const EXTRA_SECONDS_PER_PIECE = 1;

/** Whisper's own defaults for "this was silence": no_speech_threshold and logprob_threshold of its transcribe(). */
const SILENCE_PROBABILITY = 0.6;
const SILENCE_LOG_PROBABILITY = -1;

const answerSchema = z.object({
  text: z.string(),
  language: z.string().nullish(),
  duration: z.coerce.number().nonnegative().nullish().catch(null),
  segments: z
    .array(
      z.object({
        start: z.number(),
        end: z.number(),
        text: z.string(),
        no_speech_prob: z.number().nullish(),
        avg_logprob: z.number().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ seconds: z.number().nonnegative() }).nullish().catch(null),
});
type Answer = z.infer<typeof answerSchema>;

interface Piece {
  startSeconds: number;
  durationSeconds: number;
}

/**
 * Subtitles where there are any (they are free, and somebody wrote them), else speech to text with an OpenAI-compatible
 * server, in pieces of 20 minutes.
 */
export class OpenAiTranscriber implements Transcriber {
  readonly modelName: string;
  private readonly subtitles: LocalTranscriber;
  private readonly header: UsageHeader;

  constructor(
    private readonly connection: OpenAiConnection,
    private readonly config: ResolvedOpenAiConfig,
    private readonly media: SubtitleFunctions & AudioFunctions,
  ) {
    const { model } = config.transcription;
    this.modelName = model;
    this.subtitles = new LocalTranscriber(media);
    this.header = {
      service: COST_SERVICES.openaiTranscription,
      operation: 'transcribe',
      model,
      currency: config.currency,
    };
  }

  estimate({ durationSeconds }: { durationSeconds: number }): PricedUsage {
    const seconds = piecesOf(durationSeconds).reduce((sum, piece) => sum + maxSecondsOf(piece), 0);
    return secondsUsage(this.header, this.config.transcription.price, seconds);
  }

  /** @throws ProviderError; its `usage` is what the pieces before the failure cost, and the failed one if billed */
  async transcribe(
    input: TranscriptionInput,
    signal?: AbortSignal,
  ): Promise<{ transcript: Transcript | null; usage: PricedUsage }> {
    try {
      const written = await this.subtitles.transcribe(input, signal);
      if (written.transcript !== null || !input.hasAudio) return written;
    } catch (error) {
      const isUnreadable = error instanceof ProviderError && error.code === 'provider-bad-input';
      // What is said makes up for subtitles that cannot be read.
      if (!isUnreadable || !input.hasAudio) throw error;
    }
    return this.transcribeSpeech(input, signal);
  }

  private async transcribeSpeech(
    input: TranscriptionInput,
    signal?: AbortSignal,
  ): Promise<{ transcript: Transcript | null; usage: PricedUsage }> {
    const cues: TranscriptCue[] = [];
    let language: string | null = null;
    let spent: PricedUsage | undefined;
    for (const piece of piecesOf(input.durationSeconds)) {
      try {
        const { answer, usage } = await this.transcribePiece(input, piece, signal);
        spent = spent === undefined ? usage : addUsage(spent, usage);
        const pieceCues = cuesOf(answer, piece);
        cues.push(...pieceCues);
        if (pieceCues.length > 0) language ??= languageOf(answer.language);
      } catch (error) {
        throw withSpent(error, spent);
      }
    }
    const clean = cleanCues(cues, input.durationSeconds);
    return {
      transcript: clean.length === 0 ? null : { language, cues: clean, source: 'speech' },
      usage: spent ?? secondsUsage(this.header, this.config.transcription.price, 0),
    };
  }

  private async transcribePiece(
    input: TranscriptionInput,
    piece: Piece,
    signal: AbortSignal | undefined,
  ): Promise<{ answer: Answer; usage: PricedUsage }> {
    if (signal?.aborted) throw cancelledError();
    const outPath = join(input.workDir, `speech-${piece.startSeconds}.mp3`);
    try {
      const audio = await this.extract(input.path, outPath, piece, signal);
      if (audio.length > MAX_PIECE_BYTES) throw tooLarge(audio.length);
      return await this.send(audio, basename(outPath), piece, signal);
    } finally {
      await rm(outPath, { force: true });
    }
  }

  private async extract(
    path: string,
    outPath: string,
    piece: Piece,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    try {
      await this.media.extractAudio(path, outPath, { ...piece, signal });
      return await readFile(outPath);
    } catch (error) {
      if (signal?.aborted) throw cancelledError();
      throw providerError(
        'provider-bad-input',
        `the sound cannot be taken out of the video: ${cleanLine(error instanceof Error ? error.message : '', 200)}`,
        // A sound track that was refused stays so; a program that failed or took too long may do better.
        !(error instanceof MediaRejectedError),
        'If it keeps failing, the file may be damaged: upload a sound copy, or subtitles beside it.',
        { cause: error },
      );
    }
  }

  private async send(
    audio: Buffer,
    name: string,
    piece: Piece,
    signal: AbortSignal | undefined,
  ): Promise<{ answer: Answer; usage: PricedUsage }> {
    const { model, price } = this.config.transcription;
    const estimate = secondsUsage(this.header, price, maxSecondsOf(piece));
    const file = await toFile(audio, name, { type: 'audio/mpeg' });
    const { body, requestId: referenceId } = await this.connection.request(
      (client, options) =>
        client.audio.transcriptions.create(
          { file, model, response_format: 'verbose_json', timestamp_granularities: ['segment'] },
          options,
        ),
      { timeoutMilliseconds: this.config.transcriptionTimeoutMilliseconds, estimate, signal },
    );
    const answer = answerSchema.safeParse(body);
    if (!answer.success)
      throw badAnswer('it is no transcript', { ...estimate, referenceId, estimated: true });
    const seconds = answer.data.usage?.seconds ?? answer.data.duration ?? NaN;
    const usage =
      Math.ceil(seconds) <= maxSecondsOf(piece)
        ? { ...secondsUsage(this.header, price, seconds), referenceId }
        : { ...estimate, referenceId, estimated: true };
    return { answer: answer.data, usage };
  }
}

function piecesOf(durationSeconds: number): Piece[] {
  const pieces: Piece[] = [];
  for (let startSeconds = 0; startSeconds < durationSeconds; startSeconds += PIECE_SECONDS) {
    pieces.push({ startSeconds, durationSeconds: Math.min(PIECE_SECONDS, durationSeconds - startSeconds) });
  }
  return pieces;
}

function maxSecondsOf(piece: Piece): number {
  return Math.ceil(piece.durationSeconds) + EXTRA_SECONDS_PER_PIECE;
}

/** Times from the start of the video. Without segments the words of a piece are known, but not their times. */
function cuesOf(answer: Answer, { startSeconds, durationSeconds }: Piece): TranscriptCue[] {
  if (!answer.segments || answer.segments.length === 0) {
    return [{ startSeconds, endSeconds: startSeconds + durationSeconds, text: answer.text }];
  }
  return answer.segments
    .filter(
      ({ no_speech_prob: silence, avg_logprob: certainty }) =>
        !((silence ?? 0) > SILENCE_PROBABILITY && (certainty ?? 0) < SILENCE_LOG_PROBABILITY),
    )
    .map(({ start, end, text }) => ({
      startSeconds: startSeconds + start,
      endSeconds: startSeconds + end,
      text,
    }));
}

/** Whisper names languages in English (`german`), other servers give codes (`de`). */
function languageOf(name: string | null | undefined): string | null {
  const lower = name?.toLowerCase() ?? null;
  if (lower !== null && lower.length <= 3) return twoLetterLanguage(lower);
  LANGUAGE_NAMES ??= languageNames();
  return (lower !== null && LANGUAGE_NAMES.get(lower)) || null;
}

let LANGUAGE_NAMES: Map<string, string> | undefined;

function languageNames(): Map<string, string> {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  const byName = new Map<string, string>();
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const first of letters) {
    for (const second of letters) {
      const name = names.of(first + second)?.toLowerCase();
      if (name !== undefined && !byName.has(name)) byName.set(name, new Intl.Locale(first + second).language);
    }
  }
  return byName;
}

function tooLarge(bytes: number): ProviderError {
  return providerError(
    'provider-bad-input',
    `20 minutes of sound take ${bytes} bytes, more than the provider's ${MAX_PIECE_BYTES}`,
    false,
    'Upload subtitles beside the video instead.',
  );
}
