import { rgbToOklab } from './colors.js';

/** What can be measured in a picture without knowing what it shows. */
export interface PictureStatistics {
  /** Mean Oklab lightness, 0 black .. 1 white. */
  brightness: number;
  /** Standard deviation of the lightness; about 0.05 is flat, 0.3 is stark. */
  contrast: number;
  /** Hasler and Süsstrunk's metric (Human Vision and Electronic Imaging, 2003): 0 none, 33 moderate, 59 quite, 109 extreme. */
  colorfulness: number;
  /** 99.5th percentile of the Oklab chroma, so that one red car counts; below 0.02 nobody sees a colour. */
  peakChroma: number;
  /** Crété-Roffet's perceptual blur (2007): 0 sharp .. 1 blurred. */
  blur: number;
  /** Share of neighbouring pixels of exactly the same colour: drawings and screens are full of them, photographs not. */
  flatShare: number;
  /** Share of the gradient that lies in the middle ninth of the picture; 0.11 when spread evenly. */
  centerShare: number;
  /** Mean gradient per pixel, 0..255: how much there is to see. */
  detail: number;
}

/** @param pixels sRGB triples of a thumbnail */
export function colorStatistics(
  pixels: Uint8Array,
): Pick<PictureStatistics, 'brightness' | 'contrast' | 'colorfulness' | 'peakChroma'> {
  const count = Math.floor(pixels.length / 3);
  const chromas = new Float64Array(count);
  const lightness = new Moments();
  const redGreen = new Moments();
  const yellowBlue = new Moments();
  for (let index = 0; index < count; index++) {
    const red = pixels[3 * index]!;
    const green = pixels[3 * index + 1]!;
    const blue = pixels[3 * index + 2]!;
    const [l, a, b] = rgbToOklab(red, green, blue);
    lightness.add(l);
    chromas[index] = Math.hypot(a, b);
    redGreen.add(red - green);
    yellowBlue.add((red + green) / 2 - blue);
  }
  chromas.sort();
  return {
    brightness: lightness.mean,
    contrast: lightness.deviation,
    colorfulness:
      Math.hypot(redGreen.deviation, yellowBlue.deviation) + 0.3 * Math.hypot(redGreen.mean, yellowBlue.mean),
    peakChroma: chromas[Math.floor(0.995 * (count - 1))] ?? 0,
  };
}

/** @param gray one byte per pixel, row by row */
export function structureStatistics(
  gray: Uint8Array,
  width: number,
  height: number,
): Pick<PictureStatistics, 'blur' | 'flatShare' | 'centerShare' | 'detail'> {
  let flat = 0;
  let total = 0;
  let center = 0;
  let pairs = 0;
  for (let y = 1; y < height; y++) {
    for (let x = 1; x < width; x++) {
      const here = gray[y * width + x]!;
      const toLeft = Math.abs(here - gray[y * width + x - 1]!);
      const toTop = Math.abs(here - gray[(y - 1) * width + x]!);
      if (toLeft === 0 && toTop === 0) flat++;
      const gradient = toLeft + toTop;
      total += gradient;
      if (isMiddleThird(x, width) && isMiddleThird(y, height)) center += gradient;
      pairs++;
    }
  }
  return {
    blur: Math.max(blurAlong(gray, width, height, 1), blurAlong(gray, width, height, width)),
    flatShare: pairs === 0 ? 1 : flat / pairs,
    centerShare: total === 0 ? 0 : center / total,
    detail: pairs === 0 ? 0 : total / pairs,
  };
}

/**
 * Blurring a sharp picture changes its neighbour differences a lot, blurring a blurred one hardly: Crété-Roffet,
 * Dolmiere, Ladret, Nicolas, "The blur effect: perception and estimation with a new no-reference perceptual blur
 * metric", 2007, with its 9-tap low-pass filter.
 * @param step distance of the neighbour in the array: 1 for along rows, `width` for along columns
 */
function blurAlong(gray: Uint8Array, width: number, height: number, step: number): number {
  const alongRows = step === 1;
  const length = alongRows ? width : height;
  const lines = alongRows ? height : width;
  const lineStep = alongRows ? width : 1;
  const radius = 4;
  let variation = 0;
  let lost = 0;
  for (let line = 0; line < lines; line++) {
    let previousBlurred: number | undefined;
    for (let position = radius; position < length - radius; position++) {
      const index = line * lineStep + position * step;
      let sum = 0;
      for (let offset = -radius; offset <= radius; offset++) sum += gray[index + offset * step]!;
      const blurred = sum / (2 * radius + 1);
      if (previousBlurred !== undefined) {
        const before = Math.abs(gray[index]! - gray[index - step]!);
        const after = Math.abs(blurred - previousBlurred);
        variation += before;
        lost += Math.max(0, before - after);
      }
      previousBlurred = blurred;
    }
  }
  // A picture without any difference is plain, not blurred.
  return variation === 0 ? 0 : (variation - lost) / variation;
}

function isMiddleThird(position: number, length: number): boolean {
  return position * 3 >= length && position * 3 < 2 * length;
}

/** Mean and standard deviation of a stream of numbers (Welford, 1962). */
class Moments {
  private count = 0;
  private sumOfSquares = 0;
  mean = 0;

  add(value: number): void {
    this.count++;
    const delta = value - this.mean;
    this.mean += delta / this.count;
    this.sumOfSquares += delta * (value - this.mean);
  }

  get deviation(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.sumOfSquares / this.count);
  }
}
