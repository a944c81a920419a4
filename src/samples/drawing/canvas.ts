import { fillCoverage, strokeCoverage, type CoverageMask } from './coverage.js';
import { latticeHash } from './noise.js';
import { parseColor, type Paint, type Shader } from './paint.js';
import type { Shape } from './shapes.js';

export interface PaintOptions {
  /** Blurs the edge by about this many units: shadows, glows, mist. */
  soften?: number;
  /** `screen` only brightens, as light does; the default lays the colour over. */
  blend?: 'over' | 'screen';
  /** 0..1, on top of the paint's own alpha. */
  opacity?: number;
}

/** Affine map: x' = a x + c y + e, y' = b x + d y + f. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Side of the tile of rounding thresholds that toRgb repeats; a power of two. */
const DITHER_SIDE = 128;

const DITHER = Float32Array.from({ length: DITHER_SIDE * DITHER_SIDE }, (_, index) =>
  latticeHash(index % DITHER_SIDE, Math.floor(index / DITHER_SIDE)),
);

const IDENTITY: Matrix = [1, 0, 0, 1, 0, 0];

/**
 * An opaque picture that shapes are painted on, with anti-aliased edges. Colours are held as floating point
 * numbers (0..255) and dithered when they are read, so that wide gradients show no bands.
 */
export class Canvas {
  private readonly pixels: Float32Array;
  private matrix: Matrix = IDENTITY;
  private clipMask: CoverageMask | null = null;

  /** @param width, height in pixels; starts black */
  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Float32Array(width * height * 3);
  }

  /** Paints the whole picture. */
  wash(paint: Paint, options: Omit<PaintOptions, 'soften'> = {}): void {
    this.compose(
      this.clipMask ?? { left: 0, top: 0, width: this.width, height: this.height },
      paint,
      options,
    );
  }

  /** Fills a shape; overlapping runs of opposite direction cut holes. */
  fill(shape: Shape, paint: Paint, options: PaintOptions = {}): void {
    const soften = (options.soften ?? 0) * this.scale();
    const mask = fillCoverage(this.toPixels(shape), this.width, this.height, soften);
    if (mask) this.compose(this.clipped(mask), paint, options);
  }

  /** Draws along a shape's runs with round ends and joins. */
  stroke(shape: Shape, lineWidth: number, paint: Paint, options: PaintOptions = {}): void {
    const scale = this.scale();
    const soften = (options.soften ?? 0) * scale;
    const mask = strokeCoverage(this.toPixels(shape), lineWidth * scale, this.width, this.height, soften);
    if (mask) this.compose(this.clipped(mask), paint, options);
  }

  /** Limits what `draw` paints to the inside of a shape. */
  clip(shape: Shape, draw: () => void): void {
    const outer = this.clipMask;
    const mask = fillCoverage(this.toPixels(shape), this.width, this.height, 0);
    if (!mask) return;
    this.clipMask = this.clipped(mask);
    draw();
    this.clipMask = outer;
  }

  /** Moves, then turns (degrees, clockwise), then scales the coordinates that `draw` uses. */
  within(x: number, y: number, scale: number | [number, number], turn: number, draw: () => void): void {
    const outer = this.matrix;
    const [sx, sy] = typeof scale === 'number' ? [scale, scale] : scale;
    const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
    this.matrix = multiply(outer, [cos * sx, sin * sx, -sin * sy, cos * sy, x, y]);
    draw();
    this.matrix = outer;
  }

  /** Takes over the pixels of another picture of the same size: the still part of a film's frame. */
  copyFrom(other: Canvas): void {
    this.pixels.set(other.pixels);
  }

  /** The picture as it is now, as raw RGB bytes, row by row: what sharp and ffmpeg take in. */
  toRgb(): Buffer {
    const { width, height, pixels } = this;
    const bytes = Buffer.allocUnsafe(pixels.length);
    for (let y = 0, index = 0; y < height; y++) {
      const ditherRow = (y % DITHER_SIDE) * DITHER_SIDE;
      for (let x = 0; x < width; x++, index += 3) {
        // One rounding threshold for the three channels keeps greys grey. Whole numbers are never changed.
        const threshold = DITHER[ditherRow + (x % DITHER_SIDE)]!;
        // Painting keeps the colours within 0..255, and the threshold is below 1: this cannot run over.
        bytes[index] = pixels[index]! + threshold;
        bytes[index + 1] = pixels[index + 1]! + threshold;
        bytes[index + 2] = pixels[index + 2]! + threshold;
      }
    }
    return bytes;
  }

  private scale(): number {
    const [a, b, c, d] = this.matrix;
    return Math.sqrt(Math.abs(a * d - b * c));
  }

  private toPixels(shape: Shape): Shape {
    const [a, b, c, d, e, f] = this.matrix;
    return shape.map(({ points, closed }) => {
      const moved = new Array<number>(points.length);
      for (let index = 0; index < points.length; index += 2) {
        const [x, y] = [points[index]!, points[index + 1]!];
        moved[index] = a * x + c * y + e;
        moved[index + 1] = b * x + d * y + f;
      }
      return { points: moved, closed };
    });
  }

  private clipped(mask: CoverageMask): CoverageMask {
    if (this.clipMask) multiplyMask(mask, this.clipMask);
    return mask;
  }

  /** Lays a paint over the pixels, as far as the mask covers them; a mask without data covers all. */
  private compose(
    mask: Omit<CoverageMask, 'data'> & { data?: Float32Array },
    paint: Paint,
    options: PaintOptions,
  ): void {
    const { pixels, width } = this;
    const opacity = options.opacity ?? 1;
    const blend = options.blend ?? 'over';
    const color = new Float32Array(4);
    const shader: Shader | null = typeof paint === 'string' ? null : paint;
    if (typeof paint === 'string') color.set(parseColor(paint));
    const [ia, ib, ic, id, ie, jf] = invert(this.matrix);
    for (let row = 0; row < mask.height; row++) {
      const y = mask.top + row;
      let index = (y * width + mask.left) * 3;
      let offset = row * mask.width;
      for (let x = mask.left; x < mask.left + mask.width; x++, index += 3, offset++) {
        const coverage = mask.data ? mask.data[offset]! : 1;
        if (coverage < 0.002) continue;
        // The colour is asked for at the pixel's centre, in the coordinates of the drawing.
        if (shader) shader(ia * (x + 0.5) + ic * (y + 0.5) + ie, ib * (x + 0.5) + id * (y + 0.5) + jf, color);
        const alpha = coverage * opacity * color[3]!;
        if (alpha === 0) continue;
        const red = pixels[index]!;
        const green = pixels[index + 1]!;
        const blue = pixels[index + 2]!;
        if (blend === 'over') {
          pixels[index] = red + (color[0]! - red) * alpha;
          pixels[index + 1] = green + (color[1]! - green) * alpha;
          pixels[index + 2] = blue + (color[2]! - blue) * alpha;
        } else {
          pixels[index] = red + color[0]! * (1 - red / 255) * alpha;
          pixels[index + 1] = green + color[1]! * (1 - green / 255) * alpha;
          pixels[index + 2] = blue + color[2]! * (1 - blue / 255) * alpha;
        }
      }
    }
  }
}

/** Multiplies `mask` by `other`, which counts as 0 outside its rectangle. */
function multiplyMask(mask: CoverageMask, other: CoverageMask): void {
  for (let row = 0; row < mask.height; row++) {
    const otherRow = mask.top + row - other.top;
    const outside = otherRow < 0 || otherRow >= other.height;
    for (let column = 0; column < mask.width; column++) {
      const otherColumn = mask.left + column - other.left;
      const factor =
        outside || otherColumn < 0 || otherColumn >= other.width
          ? 0
          : other.data[otherRow * other.width + otherColumn]!;
      mask.data[row * mask.width + column]! *= factor;
    }
  }
}

function multiply(m: Matrix, n: Matrix): Matrix {
  return [
    m[0] * n[0] + m[2] * n[1],
    m[1] * n[0] + m[3] * n[1],
    m[0] * n[2] + m[2] * n[3],
    m[1] * n[2] + m[3] * n[3],
    m[0] * n[4] + m[2] * n[5] + m[4],
    m[1] * n[4] + m[3] * n[5] + m[5],
  ];
}

function invert([a, b, c, d, e, f]: Matrix): Matrix {
  const k = 1 / (a * d - b * c);
  return [d * k, -b * k, -c * k, a * k, (c * f - d * e) * k, (b * e - a * f) * k];
}
