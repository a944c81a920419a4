import type { DetectedLabel } from '../../../infrastructure/ai/ai.types.js';
import { truncate } from '../../../infrastructure/ai/clean-text.js';
import type { TranscriptCue } from '../../../infrastructure/media-tools/media-tools.types.js';
import type { JsonObject } from './clean-json.js';
import { keyframeRanges } from './media-times.js';

/** One text to be embedded, and where in the media it stands. */
export interface EmbeddingDocument {
  segmentType: 'full' | 'visual' | 'audio';
  /** Both null for `full`, both set otherwise. */
  startSeconds: number | null;
  endSeconds: number | null;
  isPrimary: boolean;
  text: string;
  /** Mean confidence of the labels in the text, 0..1; null when it holds none. */
  confidence: number | null;
  /** high: people wrote, said or printed it; medium: a provider's description; low: a title and nothing else. */
  quality: 'high' | 'medium' | 'low';
  /** Which fields the text was made of. */
  sourceFields: JsonObject;
  /** The analysis that the text comes from. */
  analysisId: string | null;
}

/** Everything known of one file that its documents are made of. */
export interface KnownMedia {
  fileType: 'image' | 'video';
  title: string;
  originalFilename: string;
  /** The words that somebody put into the file itself (EXIF ImageDescription). */
  description: string | null;
  labels: readonly DetectedLabel[];
  tags: readonly string[];
  categories: readonly string[];
  summary: string | null;
  detectedText: readonly string[];
  transcript: string | null;
  durationSeconds: number | null;
  keyframes: readonly {
    timestampSeconds: number;
    description: string | null;
    labels: readonly DetectedLabel[];
    detectedText: readonly string[];
  }[];
  cues: readonly TranscriptCue[];
  cueSource: 'subtitle-track' | 'sidecar' | 'speech' | null;
  /** Ids of the latest analyses, where there are any. */
  analysisIds: { full: string | null; visual: string | null; audio: string | null };
}

/** Most vectors of one file. A film of two hours needs 480 windows of 15 s; they are widened to stay below. */
export const MAX_DOCUMENTS = 400;
/** How much of a transcript goes into the main vector; the rest is found through its own segments. */
export const TRANSCRIPT_CHARACTERS = 2_000;
/** About 1,500 tokens of English and at most 6,000 of any script: within the 8,191 that embedding models take. */
const MAX_TEXT_CHARACTERS = 6_000;
/** What one remembers as one moment of speech: a sentence or two. */
const AUDIO_WINDOW_SECONDS = 15;
const MAX_LABELS_IN_TEXT = 30;

/**
 * The texts of a file: one `full` (the main vector), one `visual` per key frame of a video, and `audio` segments of
 * about 15 s of speech. Texts without a visible character are left out; there is always a `full` one.
 * @returns at most MAX_DOCUMENTS, the main one first
 */
export function buildEmbeddingDocuments(media: KnownMedia): EmbeddingDocument[] {
  const full = fullDocument(media);
  if (media.fileType !== 'video') return [full];
  const visual = visualDocuments(media).slice(0, MAX_DOCUMENTS / 2);
  return [full, ...visual, ...audioDocuments(media, MAX_DOCUMENTS - 1 - visual.length)];
}

function fullDocument(media: KnownMedia): EmbeddingDocument {
  const labels = strongest(media.labels);
  const fields: Record<string, string> = {
    title: media.title,
    fileName: newWords(fileNameWords(media.originalFilename), media.title),
    description: media.description ?? '',
    labels: labels.map(({ name }) => name).join(', '),
    tags: media.tags.join(', '),
    categories: media.categories.join(', '),
    summary: media.summary ?? '',
    detectedText: truncate(media.detectedText.join('\n'), TRANSCRIPT_CHARACTERS),
    transcript: truncate(media.transcript ?? '', TRANSCRIPT_CHARACTERS),
  };
  const used = Object.entries(fields).filter(([, text]) => isVisible(text));
  const fromPeople = ['description', 'tags', 'detectedText', 'transcript'];
  const quality = used.some(([field]) => fromPeople.includes(field))
    ? 'high'
    : labels.length > 0
      ? 'medium'
      : 'low';
  const text = truncate(used.map(([, value]) => value.trim()).join('\n'), MAX_TEXT_CHARACTERS);
  return {
    segmentType: 'full',
    startSeconds: null,
    endSeconds: null,
    isPrimary: true,
    // A title of blanks and nothing else known: the kind of file is all there is to say.
    text: text === '' ? media.fileType : text,
    confidence: meanConfidence(labels),
    quality,
    sourceFields: { fields: used.map(([field]) => field) },
    analysisId: media.analysisIds.full,
  };
}

function visualDocuments(media: KnownMedia): EmbeddingDocument[] {
  const keyframes = [...media.keyframes].sort((a, b) => a.timestampSeconds - b.timestampSeconds);
  const ranges = keyframeRanges(
    keyframes.map(({ timestampSeconds }) => timestampSeconds),
    media.durationSeconds,
  );
  return keyframes.flatMap((keyframe, index): EmbeddingDocument[] => {
    const range = ranges[index];
    const labels = strongest(keyframe.labels);
    const fields: Record<string, string> = {
      description: keyframe.description ?? '',
      labels: labels.map(({ name }) => name).join(', '),
      detectedText: keyframe.detectedText.join('\n'),
    };
    const used = Object.entries(fields).filter(([, text]) => isVisible(text));
    if (!range || used.length === 0) return [];
    return [
      {
        segmentType: 'visual',
        ...range,
        isPrimary: false,
        text: truncate(used.map(([, value]) => value).join('\n'), MAX_TEXT_CHARACTERS),
        confidence: meanConfidence(labels),
        quality: keyframe.detectedText.length > 0 ? 'high' : 'medium',
        sourceFields: { fields: used.map(([field]) => field), keyframeSeconds: range.startSeconds },
        analysisId: media.analysisIds.visual,
      },
    ];
  });
}

function audioDocuments(media: KnownMedia, max: number): EmbeddingDocument[] {
  return mergeCues(media.cues, max).map((segment) => ({
    segmentType: 'audio',
    startSeconds: segment.startSeconds,
    endSeconds: segment.endSeconds,
    isPrimary: false,
    text: truncate(segment.text, MAX_TEXT_CHARACTERS),
    confidence: null,
    quality: media.cueSource === 'speech' ? 'medium' : 'high',
    sourceFields: { fields: ['transcript'], cues: segment.cues, source: media.cueSource },
    analysisId: media.analysisIds.audio,
  }));
}

/**
 * Joins neighbouring cues into segments of about 15 s; a segment's times are those of its first and last cue. When
 * that gives more than `max`, the windows are widened rather than the end of the media left out.
 */
export function mergeCues(cues: readonly TranscriptCue[], max: number): (TranscriptCue & { cues: number })[] {
  const ordered = cues
    .filter(({ text }) => isVisible(text))
    .sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
  for (let windowSeconds = AUDIO_WINDOW_SECONDS; ; windowSeconds *= 1.25) {
    const segments: (TranscriptCue & { cues: number })[] = [];
    for (const cue of ordered) {
      const last = segments.at(-1);
      if (last && cue.endSeconds - last.startSeconds <= windowSeconds) {
        last.endSeconds = Math.max(last.endSeconds, cue.endSeconds);
        // Roll-up captions repeat the line before.
        if (last.text !== cue.text && !last.text.endsWith(` ${cue.text}`)) last.text += ` ${cue.text}`;
        last.cues += 1;
      } else segments.push({ ...cue, cues: 1 });
    }
    if (segments.length <= max) return segments;
  }
}

/**
 * The words of a file name: without extension, split at separators and capitals, and without what cameras and phones
 * call everything (`IMG_1234`, `DSC0815`, `VID-20240501-WA0001`).
 */
export function fileNameWords(filename: string): string {
  return filename
    .replace(/\.[^.]{1,5}$/, '')
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter((word) => word !== '' && !/^(img|dsc[nf]?|dcim|pxl|vid|mov|mvi|gopr|wa)?\d*$/i.test(word))
    .join(' ');
}

/** `words` unless all of them stand in the title already, as they do when the title was made from the file name. */
function newWords(words: string, title: string): string {
  // The title's words as they are written: embedding models take `beachHouse` for one word.
  const known = new Set(title.toLowerCase().split(/[^\p{L}\p{N}\p{M}]+/u));
  return words.split(' ').every((word) => known.has(word.toLowerCase())) ? '' : words;
}

function strongest(labels: readonly DetectedLabel[]): DetectedLabel[] {
  return [...labels].sort((a, b) => b.confidence - a.confidence).slice(0, MAX_LABELS_IN_TEXT);
}

function meanConfidence(labels: readonly DetectedLabel[]): number | null {
  if (labels.length === 0) return null;
  const sum = labels.reduce((total, { confidence }) => total + confidence, 0);
  return Math.round((sum / labels.length) * 10_000) / 10_000;
}

/** Embedding models refuse a text of blanks. */
function isVisible(text: string): boolean {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(text);
}
