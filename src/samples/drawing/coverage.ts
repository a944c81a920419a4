import type { Shape } from './shapes.js';

// Taken out of Math once: test runners evaluate modules in a context where each look at a global is slow,
// and these are called for every pixel.
const { abs, ceil, floor, max, min, round, sqrt } = Math;

/** How much of each pixel of a rectangle a shape covers, 0..1, row by row. Positions in pixels. */
export interface CoverageMask {
  left: number;
  top: number;
  width: number;
  height: number;
  data: Float32Array;
}

/**
 * Exact area coverage of a filled shape (non-zero rule for runs of one direction).
 *
 * Signed-area accumulation, as in Raph Levien's font-rs: every edge adds, per row, the change of coverage
 * that it causes at the pixels it crosses; a running sum along the row then gives the covered area.
 *
 * @param soften standard deviation of the blur, in pixels; 0 for sharp edges
 * @returns null when nothing of the shape is inside the picture
 */
export function fillCoverage(
  shape: Shape,
  width: number,
  height: number,
  soften: number,
): CoverageMask | null {
  const mask = emptyMask(shape, width, height, soften * 3 + 1);
  if (!mask) return null;
  // One spare column takes the change at the right edge.
  const stride = mask.width + 1;
  const changes = new Float32Array(stride * mask.height);
  for (const { points } of shape) {
    for (let index = 0; index < points.length; index += 2) {
      const next = (index + 2) % points.length;
      addEdge(
        changes,
        stride,
        mask,
        points[index]! - mask.left,
        points[index + 1]! - mask.top,
        points[next]! - mask.left,
        points[next + 1]! - mask.top,
      );
    }
  }
  for (let row = 0; row < mask.height; row++) {
    let sum = 0;
    for (let column = 0; column < mask.width; column++) {
      sum += changes[row * stride + column]!;
      mask.data[row * mask.width + column] = min(1, abs(sum));
    }
  }
  if (soften > 0) blur(mask, soften);
  return mask;
}

function addEdge(
  changes: Float32Array,
  stride: number,
  mask: CoverageMask,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  if (y0 === y1) return;
  const direction = y0 < y1 ? 1 : -1;
  if (direction < 0) [x0, y0, x1, y1] = [x1, y1, x0, y0];
  const slope = (x1 - x0) / (y1 - y0);
  const lastRow = min(mask.height, ceil(y1));
  for (let row = max(0, floor(y0)); row < lastRow; row++) {
    const top = max(row, y0);
    const bottom = min(row + 1, y1);
    if (bottom <= top) continue;
    const area = direction * (bottom - top);
    // What lies beyond the sides counts as lying on them: it still decides what is inside.
    const xTop = min(mask.width, max(0, x0 + (top - y0) * slope));
    const xBottom = min(mask.width, max(0, x0 + (bottom - y0) * slope));
    const [xLeft, xRight] = xTop < xBottom ? [xTop, xBottom] : [xBottom, xTop];
    const first = floor(xLeft);
    const last = floor(xRight);
    if (first === last) {
      const middle = (xLeft + xRight) / 2 - first;
      changes[row * stride + first]! += area * (1 - middle);
      if (first < mask.width) changes[row * stride + first + 1]! += area * middle;
      continue;
    }
    // The edge crosses several pixels of the row. What a pixel gets is the height of the edge to its left,
    // plus the part of its own piece's height that lies to the right of that piece.
    const heightPerColumn = area / (xRight - xLeft);
    let passed = 0;
    let previous = 0;
    for (let column = first; column <= last; column++) {
      const from = max(column, xLeft);
      const to = min(column + 1, xRight);
      const height = heightPerColumn * (to - from);
      const here = passed + height * (column + 1 - (from + to) / 2);
      changes[row * stride + column]! += here - previous;
      previous = here;
      passed += height;
    }
    if (last < mask.width) changes[row * stride + last + 1]! += area - previous;
  }
}

/**
 * Coverage of a line of constant width with round ends and joins: by the distance of each pixel's centre to
 * the nearest piece of the line, so that pieces which overlap at a joint do not add up.
 *
 * @param lineWidth in pixels
 * @param soften standard deviation of the blur, in pixels
 * @returns null when nothing of the line is inside the picture
 */
export function strokeCoverage(
  shape: Shape,
  lineWidth: number,
  width: number,
  height: number,
  soften: number,
): CoverageMask | null {
  const radius = lineWidth / 2;
  const mask = emptyMask(shape, width, height, radius + soften * 3 + 1);
  if (!mask) return null;
  for (const { points, closed } of shape) {
    const count = points.length / 2;
    const pieces = count === 1 ? 1 : closed ? count : count - 1;
    for (let piece = 0; piece < pieces; piece++) {
      const [start, end] = [piece * 2, ((piece + 1) % count) * 2];
      const [x0, y0] = [points[start]! - mask.left, points[start + 1]! - mask.top];
      addPiece(mask, radius, x0, y0, points[end]! - mask.left, points[end + 1]! - mask.top);
    }
  }
  if (soften > 0) blur(mask, soften);
  return mask;
}

function addPiece(mask: CoverageMask, radius: number, x0: number, y0: number, x1: number, y1: number): void {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const lengthSquared = dx * dx + dy * dy;
  const reach = radius + 1;
  const firstRow = max(0, floor(min(y0, y1) - reach));
  const lastRow = min(mask.height - 1, ceil(max(y0, y1) + reach));
  const firstColumn = max(0, floor(min(x0, x1) - reach));
  const lastColumn = min(mask.width - 1, ceil(max(x0, x1) + reach));
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const [px, py] = [column + 0.5 - x0, row + 0.5 - y0];
      const along = lengthSquared > 0 ? min(1, max(0, (px * dx + py * dy) / lengthSquared)) : 0;
      const [ox, oy] = [px - along * dx, py - along * dy];
      const distanceSquared = ox * ox + oy * oy;
      if (distanceSquared >= reach * reach) continue;
      // A line thinner than a pixel covers only its own width of it.
      const coverage = min(1, 2 * radius, radius + 0.5 - sqrt(distanceSquared));
      const offset = row * mask.width + column;
      if (coverage > mask.data[offset]!) mask.data[offset] = coverage;
    }
  }
}

/** A mask of zeros around what is visible of the shape, grown by `margin` pixels. */
function emptyMask(shape: Shape, width: number, height: number, margin: number): CoverageMask | null {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { points } of shape) {
    for (let index = 0; index < points.length; index += 2) {
      minX = min(minX, points[index]!);
      maxX = max(maxX, points[index]!);
      minY = min(minY, points[index + 1]!);
      maxY = max(maxY, points[index + 1]!);
    }
  }
  const left = max(0, floor(minX - margin));
  const top = max(0, floor(minY - margin));
  const right = min(width, ceil(maxX + margin));
  const bottom = min(height, ceil(maxY + margin));
  if (!(right > left && bottom > top)) return null;
  const size = { left, top, width: right - left, height: bottom - top };
  return { ...size, data: new Float32Array(size.width * size.height) };
}

/**
 * Gaussian blur by three box blurs each way (P. Kovesi, "Fast Almost-Gaussian Filtering", 2010).
 * Outside of the mask the edge values go on, so that a shape cut by the picture's border stays full there.
 */
function blur(mask: CoverageMask, deviation: number): void {
  // Three boxes of width w have the variance (w^2 - 1) / 4.
  const radius = max(1, round((sqrt(4 * deviation * deviation + 1) - 1) / 2));
  const { width, height, data } = mask;
  const line = new Float32Array(max(width, height));
  for (let pass = 0; pass < 3; pass++) {
    for (let row = 0; row < height; row++) boxBlurLine(data, row * width, 1, width, radius, line);
    for (let column = 0; column < width; column++) boxBlurLine(data, column, width, height, radius, line);
  }
}

function boxBlurLine(
  data: Float32Array,
  start: number,
  step: number,
  length: number,
  radius: number,
  line: Float32Array,
): void {
  for (let index = 0; index < length; index++) line[index] = data[start + index * step]!;
  const at = (index: number) => line[index < 0 ? 0 : index >= length ? length - 1 : index]!;
  let sum = 0;
  for (let offset = -radius; offset <= radius; offset++) sum += at(offset);
  for (let index = 0; index < length; index++) {
    data[start + index * step] = sum / (2 * radius + 1);
    sum += at(index + radius + 1) - at(index - radius);
  }
}
