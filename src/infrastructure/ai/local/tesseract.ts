import { findOnPath } from '../../media-tools/ffmpeg-locator.js';
import { cleanLine } from '../clean-text.js';
import { cancelledError } from '../provider-errors.js';
import { LIMITS } from '../vocabulary.js';
import { openPicture } from './picture-reader.js';
import { runProgram } from './run-program.js';
import { isUnspacedCharacter } from './words.js';

export type OcrStatus =
  | 'done'
  /** The program is not installed. */
  | 'unavailable'
  | 'timeout'
  | 'failed';

export interface OcrResult {
  status: OcrStatus;
  /** Lines from top to bottom. */
  lines: string[];
  /** Tesseract's names of the languages it looked for, e.g. `eng`. */
  languages: string[];
}

export interface OcrOptions {
  /** The program; looked for on the PATH when absent. */
  tesseractPath?: string;
  /** Default 20,000. */
  timeoutMilliseconds?: number;
}

/** Words that Tesseract is less sure of than this (0..100) are noise more often than text. */
const MINIMUM_WORD_CONFIDENCE = 60;
/**
 * The pixels of the long side that decide about enlarging: Tesseract's models are trained on letters about 30 pixels
 * high. Tried on photographs with signs, small web pictures and invoices: these steps with a slight blur (which takes
 * the noise away that reads as letters) found the most words and took the least time.
 */
const ENLARGE_THREE_TIMES_BELOW = 400;
const ENLARGE_TWICE_BELOW = 1200;
const LARGEST_SIDE = 2400;
const BLUR_SIGMA_PIXELS = 0.8;

/** ISO 639-1 -> Tesseract's language names. */
const TESSERACT_LANGUAGES: Record<string, string> = {
  ar: 'ara', cs: 'ces', da: 'dan', de: 'deu', el: 'ell', en: 'eng', es: 'spa', fi: 'fin', fr: 'fra', he: 'heb',
  hi: 'hin', hu: 'hun', it: 'ita', ja: 'jpn', ko: 'kor', nl: 'nld', no: 'nor', pl: 'pol', pt: 'por', ro: 'ron',
  ru: 'rus', sv: 'swe', th: 'tha', tr: 'tur', uk: 'ukr', vi: 'vie', zh: 'chi_sim',
}; // prettier-ignore

/** Reads the text in pictures with the Tesseract program, where it is installed. */
export class TesseractOcr {
  private installed?: Promise<{ command: string; languages: string[] } | null>;

  constructor(private readonly options: OcrOptions = {}) {}

  /**
   * @param path a JPEG, PNG or WebP
   * @param language ISO 639-1 of the text to expect, beside English
   * @throws ProviderError `provider-bad-input` for a picture that cannot be decoded, `provider-cancelled`
   */
  async read(path: string, language?: string, signal?: AbortSignal): Promise<OcrResult> {
    const program = await (this.installed ??= this.find());
    if (program === null) return { status: 'unavailable', lines: [], languages: [] };
    const languages = chooseLanguages(program.languages, language);
    if (languages.length === 0) return { status: 'unavailable', lines: [], languages };
    const input = await prepare(path);
    // Page segmentation 11: "sparse text, find as much as possible in no particular order", since pictures are
    // rarely one column of a page; the words are put in order below.
    const result = await runProgram(
      program.command,
      ['stdin', 'stdout', '-l', languages.join('+'), '--oem', '1', '--psm', '11', 'tsv'],
      {
        input,
        timeoutMilliseconds: this.options.timeoutMilliseconds ?? 20_000,
        maxOutputBytes: 4_000_000,
        signal,
        // One thread per picture: the job workers already use the other processors.
        env: { ...process.env, OMP_THREAD_LIMIT: '1' },
      },
    );
    if (signal?.aborted) throw cancelledError();
    if (result.timedOut) return { status: 'timeout', lines: [], languages };
    if (result.exitCode !== 0) return { status: 'failed', lines: [], languages };
    return { status: 'done', lines: linesFromTsv(result.stdout), languages };
  }

  private async find(): Promise<{ command: string; languages: string[] } | null> {
    const command = this.options.tesseractPath ?? findOnPath('tesseract');
    if (command === undefined) return null;
    try {
      const { exitCode, stdout } = await runProgram(command, ['--list-langs'], {
        timeoutMilliseconds: 10_000,
        maxOutputBytes: 100_000,
      });
      // `osd` finds the orientation only and reads nothing.
      const languages = stdout
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
      return exitCode === 0
        ? { command, languages: languages.filter((name) => /^[a-zA-Z_]+$/.test(name) && name !== 'osd') }
        : null;
    } catch {
      return null;
    }
  }
}

/**
 * Puts Tesseract's word table into lines: words of enough confidence, grouped by their height in the picture, from top
 * to bottom and left to right. Grass and gravel read as many short "words"; so a line counts only when it holds at
 * least one word that noise does not bring about, and more letters than signs.
 * @param tsv level, page, block, paragraph, line, word, left, top, width, height, confidence, text
 */
export function linesFromTsv(tsv: string): string[] {
  const words: Word[] = [];
  for (const row of tsv.split('\n').slice(1)) {
    const cells = row.split('\t');
    const [left = NaN, top = NaN, width = NaN, height = NaN, confidence = NaN] = cells
      .slice(6, 11)
      .map(Number);
    const text = cleanLine(cells.slice(11).join(' '), LIMITS.textLineCharacters);
    if (cells[0] !== '5' || !(confidence >= MINIMUM_WORD_CONFIDENCE) || text === '') continue;
    words.push({ left, right: left + width, middle: top + height / 2, height, text, confidence });
  }
  words.sort((a, b) => a.middle - b.middle);
  const lines: Word[][] = [];
  for (const word of words) {
    const line = lines.find((candidate) => candidate.some((other) => isSameLine(other, word)));
    if (line === undefined) lines.push([word]);
    else line.push(word);
  }
  return lines
    .filter((line) => line.some(isUnmistakable))
    .map((line) =>
      line
        .sort((a, b) => a.left - b.left)
        .map(({ text }) => text)
        .join(' '),
    )
    .filter(isText)
    .map((line) => cleanLine(line, LIMITS.textLineCharacters))
    .slice(0, LIMITS.textLines);
}

interface Word {
  left: number;
  right: number;
  middle: number;
  height: number;
  text: string;
  confidence: number;
}

/**
 * Seen on photographs without text: noise gives words of one to three letters with a confidence up to 85, four letters
 * hardly above 70. Real words of that length are mostly above 90.
 */
function isUnmistakable({ text, confidence }: Word): boolean {
  const length = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  if (isUnspacedCharacter(text)) return confidence >= 80;
  if (length >= 4) return confidence >= 72;
  if (length === 3) return confidence >= 88;
  return length === 2 && confidence >= 92;
}

/** Same height in the picture, about the same size, and no gap wider than four letters between them. */
function isSameLine(a: Word, b: Word): boolean {
  const height = Math.min(a.height, b.height);
  const gap = Math.max(a.left, b.left) - Math.min(a.right, b.right);
  return (
    Math.abs(a.middle - b.middle) < height / 2 &&
    Math.max(a.height, b.height) < 3 * height &&
    gap < 4 * height
  );
}

/** At least two thirds of the characters are letters or digits. */
function isText(line: string): boolean {
  const visible = line.replace(/\s/gu, '');
  const meaningful = visible.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  return meaningful * 3 >= visible.length * 2;
}

/** The asked language first where it is installed, English beside it; else whatever there is, three at most. */
function chooseLanguages(installed: string[], language: string | undefined): string[] {
  const asked = language === undefined ? undefined : TESSERACT_LANGUAGES[language.toLowerCase().slice(0, 2)];
  const chosen = [asked, 'eng'].filter((name) => name !== undefined && installed.includes(name)) as string[];
  return chosen.length > 0 ? [...new Set(chosen)] : installed.slice(0, 3);
}

async function prepare(path: string): Promise<Buffer> {
  const picture = await openPicture(path);
  const { width, height } = await picture.clone().metadata();
  const longSide = Math.max(width, height);
  const factor = longSide < ENLARGE_THREE_TIMES_BELOW ? 3 : longSide < ENLARGE_TWICE_BELOW ? 2 : 1;
  const target = Math.min(longSide * factor, LARGEST_SIDE);
  return picture
    .resize(target, target, { fit: 'inside', kernel: 'cubic' })
    .toColourspace('b-w')
    .blur(BLUR_SIGMA_PIXELS)
    .png({ compressionLevel: 1 })
    .toBuffer();
}
