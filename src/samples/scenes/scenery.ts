import type { Canvas } from '../drawing/canvas.js';
import { fractalNoise, randomSource, valueNoise } from '../drawing/noise.js';
import { fade, field, linear, mix, radial, smoothstep, type Paint, type Shader } from '../drawing/paint.js';
import { ellipse, ground, path, polygon, polyline } from '../drawing/shapes.js';

// Taken out of Math once, as in drawing/noise.ts.
const { max, min } = Math;

/** A picture that the code can draw: its upright size in pixels, and how. */
export interface Scene {
  width: number;
  height: number;
  draw(canvas: Canvas): void;
}

/**
 * Clouds, as an overlay to wash a sky with.
 * @param size of the largest billows, in pixels; `cover` 0..1, less is more sky
 */
export function clouds(color: string, size: number, cover: number, seed: number): Shader {
  return field(
    (x, y) => smoothstep(1 - cover, 1.3 - cover, fractalNoise(x / size, (y / size) * 2.2, 5, seed)),
    [0, fade(color, 0)],
    [1, color],
  );
}

/** A jagged or rolling sky line: `height` at most this much above `base`, features about `size` wide. */
export function ridgeLine(base: number, height: number, size: number, seed: number): (x: number) => number {
  return (x) => base - height * fractalNoise(x / size + 100, seed * 17.3, 5, seed);
}

/** Stars of different brightness over a rectangle from the top left corner. */
export function stars(canvas: Canvas, width: number, height: number, count: number, seed: number): void {
  const random = randomSource(seed);
  for (let star = 0; star < count; star++) {
    const [x, y, size] = [random() * width, random() * height, random() ** 3];
    canvas.fill(ellipse(x, y, 0.7 + size * 1.3), fade('#ffffff', 0.35 + 0.65 * size));
  }
}

/** A disc of light with a glow around it: sun or moon. */
export function glowingDisc(
  canvas: Canvas,
  x: number,
  y: number,
  radius: number,
  color: string,
  glow: string,
): void {
  canvas.wash(
    radial(
      x,
      y,
      radius * 9,
      [0, fade(glow, 0.75)],
      [0.12, fade(glow, 0.45)],
      [0.4, fade(glow, 0.14)],
      [1, fade(glow, 0)],
    ),
    {
      blend: 'screen',
    },
  );
  canvas.fill(ellipse(x, y, radius), color, { soften: 0.8 });
}

/** A fir or pine with ragged branches; (x, y) is the foot of its trunk. */
export function pine(
  canvas: Canvas,
  x: number,
  y: number,
  height: number,
  dark: string,
  lit: string,
  seed: number,
): void {
  const random = randomSource(seed);
  const layers = 9;
  const left: number[] = [];
  const right: number[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const share = (layer + 1) / layers;
    const reach = height * 0.2 * share ** 0.85;
    const [rim, notch] = [y - height * (1 - share * 0.92), y - height * (1 - share * 0.92) - height * 0.025];
    left.push(x - reach * (0.85 + random() * 0.3), rim + random() * height * 0.02, x - reach * 0.5, notch);
    right.push(x + reach * (0.85 + random() * 0.3), rim + random() * height * 0.02, x + reach * 0.5, notch);
  }
  const back: number[] = [];
  for (let index = right.length - 2; index >= 0; index -= 2) back.push(right[index]!, right[index + 1]!);
  canvas.fill(
    polygon(
      x - height * 0.015,
      y - height * 0.1,
      x + height * 0.015,
      y - height * 0.1,
      x + height * 0.02,
      y,
      x - height * 0.02,
      y,
    ),
    mix(dark, '#2a1a10', 0.5),
  );
  canvas.fill(
    polygon(x, y - height, ...left, ...back),
    linear(x - height * 0.2, 0, x + height * 0.2, 0, [0, lit], [0.45, mix(dark, lit, 0.35)], [1, dark]),
  );
}

/** A bird far away: two bent wings. */
export function bird(canvas: Canvas, x: number, y: number, span: number, color: string): void {
  canvas.within(x, y, span / 20, 0, () => {
    canvas.stroke(path('M -10 -3 Q -5 -7 0 0 Q 5 -7 10 -3'), 1.5, color);
  });
}

/** Ripples on water between two heights: short level strokes, closer together towards the horizon. */
export function ripples(
  canvas: Canvas,
  area: { left: number; right: number; top: number; bottom: number },
  color: Paint,
  count: number,
  seed: number,
): void {
  const random = randomSource(seed);
  for (let ripple = 0; ripple < count; ripple++) {
    const depth = random() ** 1.8;
    const y = area.top + (area.bottom - area.top) * depth;
    const x = area.left + (area.right - area.left) * random();
    const half = (4 + depth * 46) * (0.5 + random());
    const sag = (random() - 0.5) * (2 + depth * 5);
    canvas.fill(
      path(
        `M ${x - half} ${y} Q ${x} ${y - 1 - depth * 2.6 + sag} ${x + half} ${y} Q ${x} ${y + 1 + depth * 2.6 + sag} ${x - half} ${y} Z`,
      ),
      color,
    );
  }
}

/** Water with a wavy surface pattern, lit from the sky: to be washed or filled over its area. */
export function water(top: number, bottom: number, far: string, near: string, seed: number): Shader {
  return field(
    (x, y) => {
      const depth = max(0, (y - top) / (bottom - top));
      const zoom = 1 / (0.08 + depth);
      const wave = valueNoise((x * zoom) / 260 + zoom, zoom * 9, seed) - 0.5;
      return depth + wave * (0.1 + 0.18 * depth);
    },
    [0, far],
    [1, near],
  );
}

export interface SailboatColors {
  sail: string;
  shade: string;
  hull: string;
  stripe: string;
}

export const WHITE_SAILS: SailboatColors = {
  sail: '#fdfbf5',
  shade: '#c3d0dd',
  hull: '#f4f1ea',
  stripe: '#c8322b',
};

/** A sloop seen from the side, about 200 wide and 260 high at scale 1; (x, y) is its water line. */
export function sailboat(
  canvas: Canvas,
  x: number,
  y: number,
  scale: number,
  heel: number,
  colors: SailboatColors,
): void {
  canvas.within(x, y, scale, heel, () => {
    canvas.stroke(polyline(4, 0, 4, -262), 5, '#6b4a2f');
    canvas.fill(
      path('M 10 -250 Q 112 -130 108 -34 Q 60 -26 10 -34 Z'),
      linear(10, 0, 110, 0, [0, colors.shade], [0.35, colors.sail], [1, colors.sail]),
    );
    canvas.fill(
      path('M -2 -232 Q -34 -110 -98 -36 Q -44 -24 -2 -36 Z'),
      linear(-98, 0, 0, 0, [0, colors.sail], [0.6, colors.sail], [1, colors.shade]),
    );
    for (const [height, width] of [
      [-90, 92],
      [-150, 66],
      [-205, 37],
    ] as const) {
      canvas.stroke(
        path(`M 12 ${height} Q ${width / 2 + 10} ${height + 6} ${width + 10} ${height}`),
        1.2,
        fade(colors.shade, 0.9),
      );
    }
    canvas.stroke(polyline(4, -30, 112, -30), 5, '#6b4a2f');
    canvas.fill(polygon(4, -262, 4, -248, 26, -256), colors.stripe);
    canvas.fill(
      path('M -112 -20 L 118 -20 Q 108 14 78 16 L -64 16 Q -92 12 -112 -20 Z'),
      linear(0, -20, 0, 16, [0, colors.hull], [0.5, colors.hull], [1, mix(colors.hull, '#203040', 0.45)]),
    );
    canvas.fill(path('M -107 -13 L 116 -13 L 113 -5 L -101 -5 Z'), colors.stripe);
    canvas.fill(path('M -30 -20 L -22 -32 L 44 -32 L 52 -20 Z'), mix(colors.hull, '#405060', 0.25));
    for (const window of [-8, 12, 32]) canvas.fill(ellipse(window, -26, 4, 3), '#22364a');
  });
}

/** A rolling meadow or hill with a soft, uneven colour, across a scene of 1200 units. */
export function hill(
  canvas: Canvas,
  top: (x: number) => number,
  light: string,
  dark: string,
  bottom: number,
  seed: number,
): void {
  let crest = bottom;
  for (let x = 0; x <= 1200; x += 20) crest = min(crest, top(x));
  canvas.fill(
    ground(-4, 1204, bottom, top),
    field(
      (x, y) => (y - crest) / (bottom - crest) + (fractalNoise(x / 60, y / 18, 4, seed) - 0.5) * 0.5,
      [0, light],
      [1, dark],
    ),
  );
}
