import type { DetectedLabel } from '../ai.types.js';
import type { DominantColor } from './colors.js';
import type { PictureStatistics } from './picture-statistics.js';

/**
 * Turns measurements into words. Nothing here says what a picture shows: without a model's weights that would be
 * invented. Each threshold has a soft zone, and the confidence says how far beyond it the measurement lies: 0.5 at the
 * threshold, 1 at `certain`.
 */
export function labelPicture(
  size: { width: number; height: number },
  statistics: PictureStatistics,
  colors: DominantColor[],
): DetectedLabel[] {
  const labels: DetectedLabel[] = [];
  const add = (kind: string, name: string, confidence: number): void => {
    if (confidence >= 0.5) labels.push({ kind, name, confidence: Math.round(confidence * 1000) / 1000 });
  };
  const { brightness, contrast, colorfulness, peakChroma, blur, flatShare, centerShare, detail } = statistics;

  add('composition', orientationOf(size), 1);
  add('light', 'bright', above(brightness, 0.72, 0.9));
  add('light', 'dark', below(brightness, 0.38, 0.2));
  add('light', 'high contrast', above(contrast, 0.27, 0.4));
  add('light', 'low contrast', below(contrast, 0.08, 0.02));

  const monochrome = below(peakChroma, 0.03, 0.01);
  add('color', 'black and white', monochrome);
  if (monochrome < 0.5) {
    // Hasler and Süsstrunk call 45 averagely and 82 highly colourful.
    add('color', 'colorful', above(colorfulness, 55, 100));
    add('color', 'muted colors', below(colorfulness, 14, 4));
  }
  // What fills a fifth of a picture is its colour to everybody; a twelfth is worth a label.
  for (const { name, share } of colors) add('color', name, above(share, 0.08, 0.5));

  // Compressed video of a plain street reaches 0.65, signs and invoices begin at 0.85.
  const isDrawn = above(flatShare, 0.75, 0.95);
  add('composition', 'graphic', isDrawn);
  add('composition', 'minimalist', below(detail, 2.5, 0.5));
  if (isDrawn < 0.5 && detail >= 1) {
    add('camera', 'blurry', above(blur, 0.62, 0.85));
    add('camera', 'sharp', below(blur, 0.35, 0.2));
    add('composition', 'centered subject', above(centerShare, 0.24, 0.5));
  }
  return labels;
}

/**
 * One sentence of what was measured and read, e.g. `A bright picture in landscape orientation, mostly blue and white,
 * with the text “Beach Bar”.`
 * @param text lines found in the picture; quoted as they are, shortened
 */
export function describePicture(labels: DetectedLabel[], colors: DominantColor[], text: string[]): string {
  const has = (name: string): boolean => labels.some((label) => label.name === name);
  const qualities = ['dark', 'bright', 'blurry', 'colorful'].filter(has);
  const isMonochrome = has('black and white');
  const noun = has('graphic') ? 'graphic' : 'picture';
  const frame =
    labels.find(({ kind, name }) => kind === 'composition' && ORIENTATIONS.has(name))?.name ??
    'square format';
  const article = /^[aeiou]/.test(qualities[0] ?? (isMonochrome ? 'black' : noun)) ? 'An' : 'A';
  let sentence = [article, qualities.join(', '), isMonochrome ? 'black and white' : '', noun, `in ${frame}`]
    .filter((part) => part !== '')
    .join(' ');
  const main = colors.filter(({ share }) => share >= 0.15).slice(0, 3);
  if (!isMonochrome && main.length > 0) sentence += `, mostly ${joinWords(main.map(({ name }) => name))}`;
  const quote = text.join(' ');
  if (quote !== '')
    sentence += `, with the text “${quote.length > 160 ? `${quote.slice(0, 159).trimEnd()}…` : quote}”`;
  return `${sentence}.`;
}

const ORIENTATIONS = new Set([
  'landscape orientation',
  'portrait orientation',
  'square format',
  'panorama format',
]);

function orientationOf({ width, height }: { width: number; height: number }): string {
  const ratio = width / height;
  if (ratio >= 2.2) return 'panorama format';
  // 5 % tolerance: a crop meant to be square rarely is to the pixel.
  if (ratio > 1.05) return 'landscape orientation';
  return ratio < 1 / 1.05 ? 'portrait orientation' : 'square format';
}

/** 0.5 at the threshold, 1 from `certain` on, less than 0.5 before. */
function above(value: number, threshold: number, certain: number): number {
  return Math.min(1, Math.max(0, 0.5 + (0.5 * (value - threshold)) / (certain - threshold)));
}

function below(value: number, threshold: number, certain: number): number {
  return above(-value, -threshold, -certain);
}

function joinWords(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
