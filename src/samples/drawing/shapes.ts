// Taken out of Math once, as in drawing/noise.ts.
const { abs, ceil, cos, max, min, sin } = Math;

/** A run of points, flat: x0, y0, x1, y1, ... Filling closes every run; stroking closes only the closed ones. */
export interface Run {
  points: number[];
  closed: boolean;
}

/** What can be filled or stroked: any number of runs, in the units of the canvas' current transform. */
export type Shape = Run[];

const DEGREE = Math.PI / 180;

/** Number of numbers that each path command takes. */
const COMMAND_ARITY: Record<string, number> = { M: 2, L: 2, Q: 4, C: 6, E: 6, Z: 0 };

/**
 * Reads a path in a small language that follows SVG's absolute commands: `M x y`, `L x y`,
 * `Q cx cy x y` (quadratic), `C c1x c1y c2x c2y x y` (cubic), `Z` (close), and one of its own,
 * `E cx cy rx ry from to`: an elliptic arc between two angles in degrees (0 = right, 90 = down), joined to
 * what came before by a straight line. Numbers may repeat without repeating the command (`L 0 0 1 1`).
 *
 * @throws RangeError for an unknown command or a wrong count of numbers: a typing error in a drawing.
 */
export function path(source: string): Shape {
  const shape: Shape = [];
  let run: Run = { points: [], closed: false };
  for (const [, command = '', rest = ''] of source.matchAll(/([A-Z])([^A-Z]*)/g)) {
    const arity = COMMAND_ARITY[command];
    const numbers =
      rest.trim() === ''
        ? []
        : rest
            .trim()
            .split(/[\s,]+/)
            .map(Number);
    const groups = arity === 0 ? 1 : numbers.length / (arity ?? 0);
    if (arity === undefined || !Number.isInteger(groups) || groups < 1 || numbers.some(Number.isNaN)) {
      throw new RangeError(`Cannot read "${command}${rest}" in the path "${source}".`);
    }
    for (let group = 0; group < groups; group++) {
      const values = numbers.slice(group * arity, (group + 1) * arity);
      if (command === 'M' || (command === 'E' && run.closed)) {
        run = { points: [], closed: false };
        shape.push(run);
      } else if (shape.length === 0) {
        shape.push(run);
      }
      if (command === 'Z') run.closed = true;
      else if (command === 'M' || command === 'L') run.points.push(...values);
      else if (command === 'E') appendArc(run.points, values);
      else appendCurve(run.points, values);
    }
  }
  return shape;
}

/** Elliptic arc as straight pieces of at most 6 degrees, so that a circle has at least 60 corners. */
function appendArc(points: number[], [cx = 0, cy = 0, rx = 0, ry = 0, from = 0, to = 0]: number[]): void {
  const pieces = max(2, ceil(abs(to - from) / 6));
  for (let piece = 0; piece <= pieces; piece++) {
    const angle = (from + ((to - from) * piece) / pieces) * DEGREE;
    points.push(cx + rx * cos(angle), cy + ry * sin(angle));
  }
}

/** Bezier curve (quadratic for 4 numbers, cubic for 6) from the last point, by repeated interpolation. */
function appendCurve(points: number[], controls: number[]): void {
  const start = points.slice(-2);
  const polygon = [...start, ...controls];
  const pieces = 20;
  for (let piece = 1; piece <= pieces; piece++) {
    const t = piece / pieces;
    // De Casteljau's construction: interpolate between neighbours until one point is left.
    const level = [...polygon];
    for (let length = level.length; length > 2; length -= 2) {
      for (let index = 0; index < length - 2; index++) {
        level[index] = level[index]! + (level[index + 2]! - level[index]!) * t;
      }
    }
    points.push(level[0]!, level[1]!);
  }
}

/** Closed polygon through flat coordinates: x0, y0, x1, y1, ... */
export function polygon(...points: number[]): Shape {
  return [{ points, closed: true }];
}

/** Open line through flat coordinates; for strokes. */
export function polyline(...points: number[]): Shape {
  return [{ points, closed: false }];
}

/** Axis-parallel rectangle from its top left corner, with corners rounded by `radius`. */
export function rect(x: number, y: number, width: number, height: number, radius = 0): Shape {
  if (radius === 0) return polygon(x, y, x + width, y, x + width, y + height, x, y + height);
  const r = min(radius, width / 2, height / 2);
  const [left, top, right, bottom] = [x + r, y + r, x + width - r, y + height - r];
  return path(
    `M ${left} ${y} E ${right} ${top} ${r} ${r} -90 0 E ${right} ${bottom} ${r} ${r} 0 90 ` +
      `E ${left} ${bottom} ${r} ${r} 90 180 E ${left} ${top} ${r} ${r} 180 270 Z`,
  );
}

/** Closed ellipse around its centre. */
export function ellipse(cx: number, cy: number, rx: number, ry = rx): Shape {
  const points: number[] = [];
  appendArc(points, [cx, cy, rx, ry, 0, 360]);
  return [{ points, closed: true }];
}

/**
 * The ground below a line y = height(x) between two x positions, down to `bottom`: hills, ridges, waves.
 * @param step distance of the sampled points, in the drawing's units
 */
export function ground(
  fromX: number,
  toX: number,
  bottom: number,
  height: (x: number) => number,
  step = 3,
): Shape {
  const points: number[] = [fromX, bottom];
  for (let x = fromX; x < toX; x += step) points.push(x, height(x));
  points.push(toX, height(toX), toX, bottom);
  return [{ points, closed: true }];
}

/** Rotated and scaled copy of a shape: scaled first, then turned (degrees, clockwise), then moved. */
export function place(shape: Shape, x: number, y: number, scale = 1, turn = 0): Shape {
  const across = cos(turn * DEGREE) * scale;
  const along = sin(turn * DEGREE) * scale;
  return shape.map((run) => ({
    closed: run.closed,
    points: run.points.map((value, index) =>
      index % 2 === 0
        ? x + across * value - along * run.points[index + 1]!
        : y + along * run.points[index - 1]! + across * value,
    ),
  }));
}
