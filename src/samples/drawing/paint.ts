// Taken out of Math once: test runners evaluate modules in a context where each look at a global is slow,
// and these are called for every pixel.
const { max, min, round, sqrt } = Math;

/**
 * Gives the colour at a point of the drawing's own coordinates.
 * Writes red, green, blue (0..255) and alpha (0..1) into `out`, so that no object is made per pixel.
 */
export type Shader = (x: number, y: number, out: Float32Array) => void;

/** A shader, or one colour as `#rgb`-like hexadecimal: `#rrggbb` or `#rrggbbaa`. */
export type Paint = string | Shader;

/** Position 0..1 along a gradient, and the colour there. */
export type ColorStop = readonly [position: number, color: string];

/**
 * Reads `#rrggbb` or `#rrggbbaa` into red, green, blue (0..255) and alpha (0..1).
 * @throws RangeError for anything else
 */
export function parseColor(color: string): [number, number, number, number] {
  if (!/^#[0-9a-f]{6}([0-9a-f]{2})?$/i.test(color)) throw new RangeError(`Not a colour: "${color}".`);
  const part = (at: number) => parseInt(color.slice(at, at + 2), 16);
  return [part(1), part(3), part(5), color.length === 9 ? part(7) / 255 : 1];
}

/** Blend of two colours; `amount` 0 gives `from`, 1 gives `to`. */
export function mix(from: string, to: string, amount: number): string {
  const [a, b] = [parseColor(from), parseColor(to)];
  const hex = (index: 0 | 1 | 2 | 3, scale: number) =>
    round((a[index] + (b[index] - a[index]) * amount) * scale)
      .toString(16)
      .padStart(2, '0');
  return `#${hex(0, 1)}${hex(1, 1)}${hex(2, 1)}${hex(3, 255)}`;
}

/** The same colour with another alpha, 0..1. */
export function fade(color: string, alpha: number): string {
  return (
    color.slice(0, 7) +
    round(alpha * 255)
      .toString(16)
      .padStart(2, '0')
  );
}

const TABLE_SIZE = 1024;

/** Looks up a gradient at `position`; outside 0..1 the end colours go on. */
function gradientLookup(stops: readonly ColorStop[]): (position: number, out: Float32Array) => void {
  const colors = stops.map(([position, color]) => ({ position, rgba: parseColor(color) }));
  const table = new Float32Array((TABLE_SIZE + 1) * 4);
  for (let entry = 0, next = 0; entry <= TABLE_SIZE; entry++) {
    const position = entry / TABLE_SIZE;
    while (next < colors.length - 1 && colors[next]!.position < position) next++;
    const after = colors[next]!;
    const before = colors[max(0, next - 1)]!;
    const span = after.position - before.position;
    const share = span > 0 ? min(1, max(0, (position - before.position) / span)) : 1;
    for (let channel = 0; channel < 4; channel++) {
      const [low, high] = [before.rgba[channel]!, after.rgba[channel]!];
      table[entry * 4 + channel] = low + (high - low) * share;
    }
  }
  return (position, out) => {
    const clamped = position <= 0 ? 0 : position >= 1 ? 1 : position;
    const entry = ((clamped * TABLE_SIZE) | 0) * 4;
    out[0] = table[entry]!;
    out[1] = table[entry + 1]!;
    out[2] = table[entry + 2]!;
    out[3] = table[entry + 3]!;
  };
}

/** Gradient along the line from (x0, y0) to (x1, y1). */
export function linear(x0: number, y0: number, x1: number, y1: number, ...stops: ColorStop[]): Shader {
  const lookup = gradientLookup(stops);
  const [dx, dy] = [x1 - x0, y1 - y0];
  const scale = 1 / (dx * dx + dy * dy);
  return (x, y, out) => lookup(((x - x0) * dx + (y - y0) * dy) * scale, out);
}

/** Gradient from the centre (0) to the ellipse with the given radii (1). */
export function radial(
  cx: number,
  cy: number,
  radius: number | [number, number],
  ...stops: ColorStop[]
): Shader {
  const lookup = gradientLookup(stops);
  const [rx, ry] = typeof radius === 'number' ? [radius, radius] : radius;
  return (x, y, out) => {
    const [u, v] = [(x - cx) / rx, (y - cy) / ry];
    lookup(sqrt(u * u + v * v), out);
  };
}

/** Gradient looked up by any function of the place: a wood grain, a cloud cover, a planet's relief. */
export function field(value: (x: number, y: number) => number, ...stops: ColorStop[]): Shader {
  const lookup = gradientLookup(stops);
  return (x, y, out) => lookup(value(x, y), out);
}

/** Cubic step from 0 (at `low`) to 1 (at `high`). */
export function smoothstep(low: number, high: number, value: number): number {
  const t = min(1, max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
