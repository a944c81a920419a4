import type { Canvas, PaintOptions } from './canvas.js';
import { randomSource } from './noise.js';
import type { Paint } from './paint.js';
import { path, place, type Run, type Shape } from './shapes.js';

/**
 * A one-line sans-serif drawn for this library, so that text needs no font of the machine. Each letter is
 * its advance width without spacing, and its centre line as a path. Units: capitals are 10 high (0 is their
 * top, 10 the base line), small letters start at 3, descenders end at 13.
 */
const GLYPHS: Record<string, readonly [advance: number, centreLine: string]> = {
  ' ': [2.4, ''],
  A: [7, 'M 0 10 L 3.5 0 7 10 M 1.2 6.6 L 5.8 6.6'],
  B: [
    6,
    'M 3.2 4.8 L 0 4.8 0 0 2.9 0 E 3 2.4 2.5 2.4 -90 90 L 3.2 4.8 E 3.2 7.4 2.8 2.6 -90 90 L 0 10 0 4.8',
  ],
  C: [7, 'E 4 5 4 5 -45 -315'],
  D: [7, 'M 0 0 L 0 10 2.6 10 E 2.6 5 4.4 5 90 -90 Z'],
  E: [5.4, 'M 5.4 0 L 0 0 0 10 5.4 10 M 0 4.8 L 4.7 4.8'],
  F: [5.2, 'M 5.2 0 L 0 0 0 10 M 0 4.9 L 4.5 4.9'],
  G: [7.7, 'E 4 5 4 5 -45 -360 M 7.7 10 L 7.7 5.4 4.6 5.4'],
  H: [6.6, 'M 0 0 L 0 10 M 6.6 0 L 6.6 10 M 0 4.8 L 6.6 4.8'],
  I: [0, 'M 0 0 L 0 10'],
  J: [4.6, 'M 4.6 0 L 4.6 7.2 E 2.3 7.2 2.3 2.8 0 165'],
  K: [6.4, 'M 0 0 L 0 10 M 6 0 L 0 6.2 M 2.2 4.1 L 6.4 10'],
  L: [5, 'M 0 0 L 0 10 5 10'],
  M: [8.2, 'M 0 10 L 0 0 4.1 6.8 8.2 0 8.2 10'],
  N: [6.8, 'M 0 10 L 0 0 6.8 10 6.8 0'],
  O: [8.2, 'E 4.1 5 4.1 5 0 360'],
  P: [6, 'M 0 10 L 0 0 3.1 0 E 3.1 2.8 2.9 2.8 -90 90 L 0 5.6'],
  Q: [8.2, 'E 4.1 5 4.1 5 0 360 M 5.2 7.2 L 8.2 10.6'],
  R: [6.3, 'M 0 10 L 0 0 3.1 0 E 3.1 2.7 2.9 2.7 -90 90 L 0 5.4 M 3 5.4 L 6.3 10'],
  S: [6, 'E 3 2.5 2.8 2.5 -25 -270 E 3 7.5 3 2.5 -90 155'],
  T: [6.6, 'M 0 0 L 6.6 0 M 3.3 0 L 3.3 10'],
  U: [6.6, 'M 0 0 L 0 6.6 E 3.3 6.6 3.3 3.4 180 0 L 6.6 0'],
  V: [6.8, 'M 0 0 L 3.4 10 6.8 0'],
  W: [10, 'M 0 0 L 2.5 10 5 1.4 7.5 10 10 0'],
  X: [6.4, 'M 0 0 L 6.4 10 M 6.4 0 L 0 10'],
  Y: [6.6, 'M 0 0 L 3.3 5 6.6 0 M 3.3 5 L 3.3 10'],
  Z: [6.2, 'M 0 0 L 6.2 0 0 10 6.2 10'],
  a: [
    5,
    'M 0.4 4.3 Q 1 3 2.6 3 Q 5 3 5 5.3 L 5 10 M 5 6.1 L 2.5 6.1 E 2.3 8.05 2.3 1.95 -90 -270 Q 5 10 5 7.6',
  ],
  b: [5.6, 'M 0 0 L 0 10 M 0 6.5 E 2.8 6.5 2.8 3.5 180 540'],
  c: [4.9, 'E 3 6.5 3 3.5 -45 -315'],
  d: [5.6, 'M 5.6 0 L 5.6 10 M 5.6 6.5 E 2.8 6.5 2.8 3.5 0 360'],
  e: [5.8, 'M 0.1 6.4 L 5.8 6.4 E 2.9 6.5 2.9 3.5 0 -312'],
  f: [3.4, 'M 3.6 0.1 Q 1.2 -0.3 1.2 2.4 L 1.2 10 M -0.2 3.2 L 3.2 3.2'],
  g: [5.6, 'M 5.6 3 L 5.6 10.2 E 2.8 10.2 2.8 2.9 0 150 M 5.6 6.4 E 2.8 6.4 2.8 3.4 0 360'],
  h: [5.2, 'M 0 0 L 0 10 M 0 5.8 E 2.6 5.8 2.6 2.8 180 360 L 5.2 10'],
  i: [0, 'M 0 3.2 L 0 10 M 0 0.3 L 0 0.5'],
  j: [0.8, 'M 0.8 3.2 L 0.8 11 Q 0.8 13 -1.2 13 M 0.8 0.3 L 0.8 0.5'],
  k: [5, 'M 0 0 L 0 10 M 4.6 3.2 L 0 7.4 M 1.9 5.7 L 5 10'],
  l: [1.5, 'M 0 0 L 0 8.4 Q 0 10 1.5 10'],
  m: [
    8.4,
    'M 0 3.2 L 0 10 M 0 5.5 E 2.1 5.5 2.1 2.5 180 360 L 4.2 10 M 4.2 5.5 E 6.3 5.5 2.1 2.5 180 360 L 8.4 10',
  ],
  n: [5.2, 'M 0 3.2 L 0 10 M 0 5.8 E 2.6 5.8 2.6 2.8 180 360 L 5.2 10'],
  o: [6, 'E 3 6.5 3 3.5 0 360'],
  p: [5.6, 'M 0 3.2 L 0 13 M 0 6.5 E 2.8 6.5 2.8 3.5 180 540'],
  q: [5.6, 'M 5.6 3.2 L 5.6 13 M 5.6 6.5 E 2.8 6.5 2.8 3.5 0 360'],
  r: [3.2, 'M 0 3.2 L 0 10 M 0 6 Q 0.5 3 3.2 3.1'],
  s: [4.6, 'E 2.3 4.75 2.1 1.75 -25 -270 E 2.3 8.25 2.3 1.75 -90 155'],
  t: [3.4, 'M 1.2 0.8 L 1.2 8 Q 1.2 10 3.4 9.9 M -0.2 3.2 L 3.2 3.2'],
  u: [5.2, 'M 0 3.2 L 0 7.2 E 2.6 7.2 2.6 2.8 180 0 M 5.2 3.2 L 5.2 10'],
  v: [5.4, 'M 0 3.2 L 2.7 10 5.4 3.2'],
  w: [8, 'M 0 3.2 L 2 10 4 4.2 6 10 8 3.2'],
  x: [5.2, 'M 0 3.2 L 5.2 10 M 5.2 3.2 L 0 10'],
  y: [5.4, 'M 0 3.2 L 2.7 10 M 5.4 3.2 L 2.7 10 1.8 12.2 Q 1.4 13 0 13'],
  z: [4.8, 'M 0 3.2 L 4.8 3.2 0 10 4.8 10'],
  '0': [6, 'E 3 5 3 5 0 360'],
  '1': [3.4, 'M 0.4 2.2 L 3 0 3 10'],
  '2': [5.8, 'E 2.9 2.9 2.7 2.9 195 385 Q 4.6 5.6 0.1 10 L 5.8 10'],
  '3': [5.6, 'E 2.7 2.4 2.5 2.4 200 450 M 2.2 4.8 L 2.7 4.8 E 2.7 7.4 2.9 2.6 -90 155'],
  '4': [6.2, 'M 4.6 10 L 4.6 0 0 7 6.2 7'],
  '5': [5.8, 'M 5.2 0 L 1 0 0.6 4.7 Q 1.6 3.8 2.9 3.8 E 2.8 6.9 3 3.1 -86 140'],
  '6': [5.8, 'M 4.6 0 Q 1.6 2.4 0.4 5.6 M 0 6.9 E 2.9 6.9 2.9 3.1 180 540'],
  '7': [5.6, 'M 0 0 L 5.6 0 2 10'],
  '8': [5.8, 'E 2.9 2.4 2.5 2.4 90 450 E 2.9 7.4 2.9 2.6 -90 270'],
  '9': [5.8, 'M 1.2 10 Q 4.2 7.6 5.4 4.4 M 5.8 3.1 E 2.9 3.1 2.9 3.1 0 360'],
  '.': [0, 'M 0 9.8 L 0 10'],
  ',': [0.4, 'M 0.4 9.6 L 0.4 10 -0.2 11.8'],
  ':': [0, 'M 0 4 L 0 4.2 M 0 9.6 L 0 9.8'],
  '!': [0, 'M 0 0 L 0 6.6 M 0 9.8 L 0 10'],
  '?': [5, 'E 2.5 2.6 2.4 2.6 190 400 Q 2.5 5.4 2.5 7 M 2.5 9.8 L 2.5 10'],
  '-': [3.2, 'M 0 6 L 3.2 6'],
  '+': [5, 'M 0 5.6 L 5 5.6 M 2.5 3.1 L 2.5 8.1'],
  '/': [4, 'M 0 11 L 4 -0.6'],
  '%': [8, 'E 1.7 2.2 1.7 2.2 0 360 M 6.6 0 L 1.4 10 M 8 7.8 E 6.3 7.8 1.7 2.2 0 360'],
  '&': [7, 'M 7 10 L 1.6 3.8 E 2.9 2 1.9 2 145 400 Q 3.8 4 1.6 5.2 E 2.6 7.4 2.6 2.6 235 80 Q 5.6 9.9 6.6 6'],
  '(': [2, 'M 2 -0.8 Q -1.6 5.2 2 11.4'],
  ')': [2, 'M 0 -0.8 Q 3.6 5.2 0 11.4'],
  "'": [0, 'M 0 0 L 0 2.2'],
  $: [6, 'E 3 2.9 2.8 2.2 -20 -270 E 3 7.3 3 2.2 -90 160 M 3 -0.7 L 3 11'],
};

/** Space between two letters, before the stroke's own width is added, in glyph units. */
const LETTER_SPACING = 1.3;

export interface TextStyle {
  /** Left end, centre or right end of the line, by `align`. */
  x: number;
  /** Base line. */
  y: number;
  /** Height of the capitals, in the canvas' units. */
  size: number;
  paint: Paint;
  /** Width of the stroke as a share of `size`; 0.12 is regular, 0.18 bold. */
  weight?: number;
  align?: 'left' | 'center' | 'right';
  /** Extra space between letters, as a share of `size`. */
  tracking?: number;
  /** How unsteady the hand is, as a share of `size`; 0 is print. */
  handwriting?: number;
}

/** The glyphs that can be written. */
export const WRITABLE_CHARACTERS: readonly string[] = Object.keys(GLYPHS);

/**
 * Width of one line of text, from the outer edge of its first to that of its last stroke, in canvas units.
 * @throws RangeError for a character that the font has no glyph for
 */
export function textWidth(text: string, style: Pick<TextStyle, 'size' | 'weight' | 'tracking'>): number {
  const { weight, gap } = metrics(style);
  const advance = [...text].reduce((sum, character) => sum + glyph(character)[0], 0);
  return (advance + gap * (text.length - 1) + weight) * (style.size / 10);
}

/**
 * Writes one line of text.
 * @returns the x position after the last letter, to go on from there
 * @throws RangeError for a character that the font has no glyph for
 */
export function writeText(
  canvas: Canvas,
  text: string,
  style: TextStyle,
  options: PaintOptions = {},
): number {
  const { weight, gap } = metrics(style);
  const unit = style.size / 10;
  const width = textWidth(text, style);
  const shift = style.align === 'center' ? width / 2 : style.align === 'right' ? width : 0;
  let x = style.x - shift + (weight / 2) * unit;
  const random = randomSource(text.length * 7919 + text.charCodeAt(0));
  const wobble = () => (random() - 0.5) * (style.handwriting ?? 0) * style.size;
  const line: Shape = [];
  for (const character of text) {
    const [advance, centreLine] = glyph(character);
    const turn = style.handwriting ? wobble() * 2 - 2 : 0;
    const outline = place(path(centreLine), x + wobble(), style.y - style.size + wobble(), unit, turn);
    line.push(...(style.handwriting ? outline.map((run) => unsteady(run, style.size, random)) : outline));
    x += (advance + gap) * unit;
  }
  canvas.stroke(line, weight * unit, style.paint, options);
  return x;
}

/** Lets a run sway slowly, as a hand does. */
function unsteady(run: Run, size: number, random: () => number): Run {
  const [phaseX, phaseY] = [random() * 6.3, random() * 6.3];
  const sway = size * 0.025;
  return {
    closed: run.closed,
    points: run.points.map((value, index) =>
      index % 2 === 0
        ? value + Math.sin(phaseX + (run.points[index + 1]! / size) * 5) * sway
        : value + Math.sin(phaseY + (run.points[index - 1]! / size) * 5) * sway,
    ),
  };
}

function metrics(style: Pick<TextStyle, 'weight' | 'tracking'>): { weight: number; gap: number } {
  const weight = (style.weight ?? 0.12) * 10;
  return { weight, gap: LETTER_SPACING + weight + (style.tracking ?? 0) * 10 };
}

function glyph(character: string): readonly [number, string] {
  const found = GLYPHS[character];
  if (!found) throw new RangeError(`The sample library's font has no glyph for "${character}".`);
  return found;
}
