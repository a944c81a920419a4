/**
 * Naming colours. Distances are taken in Oklab (Björn Ottosson, 2020), where equal steps look equally different;
 * the matrices below are his.
 */

/** Lightness 0..1 and two opponent axes, about -0.4..0.4. */
export type Oklab = readonly [lightness: number, a: number, b: number];

export interface DominantColor {
  /** A basic colour name such as `blue` or `dark green`. */
  name: string;
  /** The mean of the pixels under that name, `#rrggbb`. */
  hex: string;
  /** Share of the picture, 0..1. */
  share: number;
}

/**
 * What people call a colour, with one or more sample values each. The basic English colour terms (Berlin and Kay, 1969)
 * plus the light and dark ones that photographs are full of. A pixel takes the name of the nearest sample.
 */
const SAMPLES: Record<string, string[]> = {
  black: ['#000000', '#161616', '#1c1a18'],
  'dark gray': ['#3c3c3c', '#505050'],
  gray: ['#808080', '#6e7074', '#8c8a86'],
  'light gray': ['#b4b4b4', '#cfcfcf'],
  white: ['#ffffff', '#f2f2f2', '#ebe9e4'],
  red: ['#e01b1b', '#c4161c', '#ff3b30'],
  'dark red': ['#7a1015', '#561016'],
  pink: ['#ffc0cb', '#f48fb1', '#ff69b4'],
  orange: ['#ff8c00', '#f57c20', '#e06a1a'],
  brown: ['#8b4513', '#6b4423', '#4a3020', '#7d5a3c'],
  beige: ['#d8c3a5', '#c8ad88', '#e6d6bc'],
  yellow: ['#ffe100', '#f2c81e', '#fff176'],
  'olive green': ['#808000', '#6b6b2f', '#8a8a4a'],
  green: ['#2e9b2e', '#4caf50', '#6faa3c', '#00c800'],
  'dark green': ['#0e4d1a', '#2a4a25', '#33502d'],
  'light green': ['#a8e6a1', '#b7d98a'],
  turquoise: ['#20b2aa', '#40e0d0', '#1f8a8a'],
  'light blue': ['#add8e6', '#87ceeb', '#9db8d6'],
  blue: ['#1e66d0', '#3f7fbf', '#0000ff', '#5a7fa8'],
  'dark blue': ['#0b1f5c', '#1a2a4a', '#223a63'],
  purple: ['#7b2fa0', '#5b3a8c', '#a56cc1', '#4a235a'],
  magenta: ['#d81b9a', '#ff00ff'],
};

/** Every name that `nameColor` gives. */
export const COLOR_NAMES: readonly string[] = Object.keys(SAMPLES);

/** sRGB byte -> linear light, IEC 61966-2-1. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

const PALETTE: { name: string; lab: Oklab }[] = Object.entries(SAMPLES).flatMap(([name, hexes]) =>
  hexes.map((hex) => ({ name, lab: hexToOklab(hex) })),
);

/** @param red,green,blue sRGB, 0..255 */
export function rgbToOklab(red: number, green: number, blue: number): Oklab {
  const r = linear(red);
  const g = linear(green);
  const b = linear(blue);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** The basic name of one colour. */
export function nameColor(red: number, green: number, blue: number): string {
  return nearestName(rgbToOklab(red, green, blue));
}

/**
 * The colours that make up a picture.
 * @param pixels sRGB triples, a thumbnail is enough
 * @param minimumShare names below this share are left out
 * @returns largest share first, at most `maximum`
 */
export function dominantColors(pixels: Uint8Array, maximum = 6, minimumShare = 0.04): DominantColor[] {
  const groups = new Map<string, { count: number; red: number; green: number; blue: number }>();
  const total = Math.floor(pixels.length / 3);
  // Photographs repeat colours: the name is looked up once per 4 x 4 x 4 cell of RGB.
  const names = new Map<number, string>();
  for (let index = 0; index < total; index++) {
    const red = pixels[3 * index]!;
    const green = pixels[3 * index + 1]!;
    const blue = pixels[3 * index + 2]!;
    const cell = ((red >> 2) << 12) | ((green >> 2) << 6) | (blue >> 2);
    let name = names.get(cell);
    if (name === undefined) {
      name = nameColor(red | 2, green | 2, blue | 2);
      names.set(cell, name);
    }
    const group = groups.get(name) ?? { count: 0, red: 0, green: 0, blue: 0 };
    group.count++;
    group.red += red;
    group.green += green;
    group.blue += blue;
    groups.set(name, group);
  }
  return [...groups]
    .map(([name, { count, red, green, blue }]) => ({
      name,
      hex: toHex(red / count, green / count, blue / count),
      share: Math.round((count / total) * 1000) / 1000,
    }))
    .filter(({ share }) => share >= minimumShare)
    .sort((left, right) => right.share - left.share || (left.name < right.name ? -1 : 1))
    .slice(0, maximum);
}

function nearestName([lightness, a, b]: Oklab): string {
  let best = '';
  let bestDistance = Infinity;
  for (const { name, lab } of PALETTE) {
    // Hue and chroma tell colours apart more than lightness does, so they count double.
    const distance = (lightness - lab[0]) ** 2 + 4 * ((a - lab[1]) ** 2 + (b - lab[2]) ** 2);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

function linear(byte: number): number {
  return LINEAR[byte]!;
}

function hexToOklab(hex: string): Oklab {
  const value = Number.parseInt(hex.slice(1), 16);
  return rgbToOklab((value >> 16) & 255, (value >> 8) & 255, value & 255);
}

function toHex(...channels: [number, number, number]): string {
  return `#${channels.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}
