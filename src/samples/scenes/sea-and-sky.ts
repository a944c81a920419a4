import { fractalNoise, randomSource } from '../drawing/noise.js';
import { fade, field, linear, mix, smoothstep } from '../drawing/paint.js';
import { ellipse, ground, path, polygon, rect } from '../drawing/shapes.js';
import {
  bird,
  clouds,
  glowingDisc,
  ripples,
  sailboat,
  stars,
  water,
  WHITE_SAILS,
  type Scene,
} from './scenery.js';

// Taken out of Math once, as in drawing/noise.ts.
const { abs, asin, atan2, max, min, pow, sqrt } = Math;

/** The sun half set into the sea, with its path of light on the water. */
export const sunsetOverSea: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    const horizon = 480;
    canvas.wash(
      linear(
        0,
        0,
        0,
        horizon,
        [0, '#2b2458'],
        [0.35, '#7b3a78'],
        [0.65, '#e0605a'],
        [0.88, '#fba04a'],
        [1, '#ffd27a'],
      ),
    );
    canvas.clip(rect(0, 0, 1200, horizon), () => {
      canvas.wash(clouds('#5a2a5ec0', 420, 0.5, 5));
      canvas.wash(clouds('#ffb07a90', 300, 0.42, 9), { blend: 'screen' });
      glowingDisc(canvas, 640, 452, 74, '#fff3c4', '#ff9a3c');
    });
    canvas.fill(rect(0, horizon, 1200, 320), water(horizon, 800, '#e8825a', '#2a1f4a', 3));
    canvas.fill(rect(0, horizon, 1200, 320), linear(0, horizon, 0, 800, [0, '#ff8c5a60'], [1, '#1c163c90']));
    const random = randomSource(21);
    for (let glint = 0; glint < 260; glint++) {
      const depth = random() ** 1.4;
      const y = horizon + 4 + depth * 300;
      const spread = 60 + depth * 130;
      const x = 640 + (random() + random() - 1) * spread;
      const half = (10 + depth * 44) * (0.4 + random());
      canvas.fill(
        ellipse(x, y, half, 1 + depth * 3.2),
        fade(mix('#fff0b8', '#ff9a4a', random()), 0.75 - depth * 0.3),
      );
    }
    ripples(canvas, { left: 0, right: 1200, top: horizon + 10, bottom: 800 }, '#1d173f66', 150, 4);
    canvas.fill(
      ground(
        -10,
        330,
        horizon + 2,
        (x) => horizon - 3 - 52 * smoothstep(330, 60, x) * (0.6 + 0.4 * fractalNoise(x / 70, 1, 4, 2)),
      ),
      '#38204e',
    );
    for (const [x, y, span] of [
      [330, 190, 46],
      [396, 160, 34],
      [440, 206, 28],
      [880, 140, 30],
      [925, 165, 24],
    ] as const) {
      bird(canvas, x, y, span, '#2a1b3c');
    }
  },
};

/** A white sloop on blue water on a bright day. */
export const sailboatOnBlueWater: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    const horizon = 420;
    canvas.wash(linear(0, 0, 0, horizon, [0, '#2f7fd0'], [0.7, '#8cc4ee'], [1, '#d8eefa']));
    canvas.wash(clouds('#fffffff0', 300, 0.46, 22));
    canvas.fill(
      ground(
        700,
        1200,
        horizon + 1,
        (x) => horizon - 46 * smoothstep(700, 900, x) * (0.4 + fractalNoise(x / 90, 3, 4, 5) * 0.8),
      ),
      '#6f97a8',
    );
    canvas.fill(rect(0, horizon, 1200, 400), water(horizon, 800, '#5fb0dd', '#0a4583', 8));
    ripples(canvas, { left: 0, right: 1200, top: horizon + 6, bottom: 800 }, '#ffffff38', 190, 5);
    ripples(canvas, { left: 0, right: 1200, top: horizon + 20, bottom: 800 }, '#05356e40', 160, 6);
    // The reflection is the boat itself, upside down, squeezed and faint.
    canvas.clip(rect(0, 584, 1200, 216), () => {
      canvas.within(540, 590, [1.5, -0.62], 0, () =>
        sailboat(canvas, 0, 0, 1, -5, {
          sail: '#d9ecf8',
          shade: '#a6cae4',
          hull: '#c8dcec',
          stripe: '#8c5a78',
        }),
      );
      canvas.fill(ellipse(550, 700, 260, 110), linear(0, 590, 0, 780, [0, '#1f69a870'], [1, '#0d4a88']), {
        soften: 22,
      });
      ripples(canvas, { left: 280, right: 800, top: 592, bottom: 790 }, '#1c66a8a0', 60, 17);
    });
    sailboat(canvas, 540, 572, 1.5, 5, WHITE_SAILS);
    canvas.fill(
      path('M 366 588 Q 420 574 520 592 Q 640 604 740 590 Q 690 612 540 608 Q 420 606 366 588 Z'),
      '#ffffffb0',
      { soften: 2 },
    );
    for (const [x, y, span] of [
      [880, 170, 44],
      [950, 210, 32],
      [250, 140, 36],
    ] as const)
      bird(canvas, x, y, span, '#41566b');
  },
};

/** The Earth, half lit, before the stars. */
export const earthFromSpace: Scene = {
  width: 960,
  height: 960,
  draw(canvas) {
    const [cx, cy, radius] = [480, 490, 350];
    canvas.wash(linear(0, 0, 960, 960, [0, '#03040c'], [0.5, '#070a1c'], [1, '#020308']));
    canvas.wash(
      field(
        (x, y) => smoothstep(0.5, 0.9, fractalNoise(x / 300, y / 300, 5, 8)),
        [0, '#3a2a6a00'],
        [1, '#3a2a6a90'],
      ),
    );
    stars(canvas, 960, 960, 420, 4);
    canvas.fill(ellipse(cx - 8, cy - 8, radius + 16), '#5fb0ff', { soften: 18, opacity: 0.75 });
    canvas.fill(ellipse(cx, cy, radius), (x, y, out) => {
      // The point on the sphere below this pixel, turned so that noise is wrapped around the globe.
      const [u, v] = [(x - cx) / radius, (y - cy) / radius];
      const w = sqrt(max(0, 1 - u * u - v * v));
      const longitude = atan2(u, w) * 1.9 + 3.4;
      const latitude = asin(max(-1, min(1, v))) * 1.9;
      const relief = fractalNoise(longitude * 0.85 + 2.2, latitude * 0.85 + 5.1, 6, 2);
      const land = smoothstep(0.5, 0.53, relief);
      const dry =
        smoothstep(0.42, 0.62, fractalNoise(longitude * 1.6, latitude * 2.2 + 9, 4, 6)) *
        smoothstep(1.5, 0.4, abs(latitude));
      const ice = smoothstep(2.05, 2.35, abs(latitude) + relief * 0.5);
      const swirl = fractalNoise(longitude * 1.1, latitude * 2 + 1, 3, 14);
      const cloud = smoothstep(
        0.52,
        0.74,
        fractalNoise(longitude * 2.1 + swirl * 2.4, latitude * 3.2 + swirl, 5, 12),
      );
      const depth = smoothstep(0.25, 0.5, relief);
      const light = max(0, -u * 0.62 - v * 0.42 + w * 0.66);
      const day = 0.04 + 1.08 * pow(light, 0.85);
      const glint = pow(max(0, -u * 0.35 - v * 0.24 + w * 0.9), 40) * (1 - land) * 90;
      const rim = pow(1 - w, 3) * 120 * (0.15 + light);
      const sea = [8 + 14 * depth, 44 + 62 * depth, 116 + 68 * depth];
      const green = [44 + 126 * dry + 30 * relief, 112 + 36 * dry, 46 + 42 * dry];
      for (let channel = 0; channel < 3; channel++) {
        const surface = sea[channel]! + (green[channel]! - sea[channel]!) * land;
        const frozen = surface + (240 - surface) * ice;
        const clouded = frozen + (252 - frozen) * cloud * 0.92;
        out[channel] = min(255, clouded * day + glint + rim * [0.4, 0.7, 1][channel]!);
      }
      out[3] = 1;
    });
    canvas.stroke(
      polygon(...ellipse(cx, cy, radius - 1)[0]!.points),
      3,
      linear(
        cx - radius,
        cy - radius,
        cx + radius * 0.4,
        cy + radius * 0.4,
        [0, '#a8dcffc0'],
        [0.6, '#5aa8ff50'],
        [1, '#5aa8ff00'],
      ),
      { soften: 2 },
    );
  },
};
