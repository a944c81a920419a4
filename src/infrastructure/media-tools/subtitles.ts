import type { TranscriptCue } from './media-tools.types.js';

/** More cues than a ten-hour film has; what comes after is left out. */
const MAX_CUES = 20_000;
const MAX_CUE_CHARACTERS = 2_000;
/** Longest file that is looked at, in characters; longer ones are no subtitles. */
const MAX_INPUT_CHARACTERS = 20_000_000;

/** `00:01:02,500 --> 00:01:04.000 align:start`; hours may be missing, SRT has a comma and WebVTT a dot. */
const TIMING_LINE = /^\s*((?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3})\s*-->\s*((?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3})/;

const NAMED_ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  lrm: '',
  rlm: '',
};

/**
 * Reads SRT or WebVTT. Formatting tags and position settings are left out, character entities resolved, lines of
 * one cue joined by a space; cues that are malformed, empty or end before they begin are skipped.
 * @returns cues sorted by start, times in seconds
 */
export function parseSubtitles(input: string): TranscriptCue[] {
  const lines = input
    .slice(0, MAX_INPUT_CHARACTERS)
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/);
  const cues: TranscriptCue[] = [];
  for (let index = 0; index < lines.length && cues.length < MAX_CUES; index += 1) {
    const timing = TIMING_LINE.exec(lines[index] as string);
    if (!timing) continue;
    const textLines: string[] = [];
    while (index + 1 < lines.length && (lines[index + 1] as string).trim() !== '') {
      // A cue without the empty line after it: the next timing line belongs to the next cue.
      if (TIMING_LINE.test(lines[index + 1] as string)) break;
      index += 1;
      textLines.push(lines[index] as string);
    }
    const startSeconds = parseTime(timing[1] as string);
    const endSeconds = parseTime(timing[2] as string);
    const text = cleanText(textLines.join(' '));
    if (text !== '' && endSeconds > startSeconds) cues.push({ startSeconds, endSeconds, text });
  }
  return cues.sort((a, b) => a.startSeconds - b.startSeconds || a.endSeconds - b.endSeconds);
}

/**
 * Reads the bytes of a subtitle file that a user uploaded: UTF-8, UTF-16 with a byte order mark, or else
 * Windows-1252, which is what old SRT files come in.
 * @returns the cues, as `parseSubtitles` gives them; empty when the bytes hold no subtitles
 */
export function parseSubtitleFile(bytes: Buffer): TranscriptCue[] {
  return parseSubtitles(decodeSubtitles(bytes.subarray(0, MAX_INPUT_CHARACTERS)));
}

function decodeSubtitles(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    // `stream` forgives a character that is cut in two by the length limit.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/**
 * Writes cues as a WebVTT file (W3C WebVTT 1, section 4), times with milliseconds.
 * @returns the text, ending with a line break; a file without cues is valid too
 */
export function toWebVtt(cues: readonly TranscriptCue[]): string {
  const blocks = cues.map(({ startSeconds, endSeconds, text }) => {
    // `-->` and line breaks would begin a new cue; `&` and `<` would be read as markup.
    const safe = text
      .replace(/[\r\n]+/g, ' ')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;');
    return `${formatTime(startSeconds)} --> ${formatTime(endSeconds)}\n${safe}\n`;
  });
  return ['WEBVTT\n', ...blocks].join('\n');
}

function parseTime(value: string): number {
  const [seconds = 0, minutes = 0, hours = 0] = value.replace(',', '.').split(':').map(Number).reverse();
  // Rounded, because 61.1 + 3600 is not 3661.1 in binary.
  return Math.round((hours * 3600 + minutes * 60 + seconds) * 1000) / 1000;
}

function formatTime(seconds: number): string {
  const milliseconds = Math.max(0, Math.round(seconds * 1000));
  const pad = (value: number, length = 2) => String(value).padStart(length, '0');
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  return `${pad(hours)}:${pad(minutes)}:${pad(Math.floor(milliseconds / 1000) % 60)}.${pad(milliseconds % 1000, 3)}`;
}

function cleanText(raw: string): string {
  return (
    raw
      // <i>, </font>, <c.yellow>, <v Ann>, <00:01.000> and the override blocks {\an8} of converted ASS files
      .replace(/<\/?[A-Za-z][^<>]{0,500}>|<(?:\d+:)?\d{2}:\d{2}\.\d{3}>/g, '')
      .replace(/\{\\[^{}]{0,500}\}/g, '')
      .replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,5});/gi, resolveEntity)
      // eslint-disable-next-line no-control-regex -- control characters are what has to go
      .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, MAX_CUE_CHARACTERS)
      .toWellFormed()
  );
}

function resolveEntity(entity: string, name: string): string {
  if (!name.startsWith('#')) return NAMED_ENTITIES[name.toLowerCase()] ?? entity;
  const code = name[1]?.toLowerCase() === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
