import { fractalNoise, randomSource, valueNoise } from '../drawing/noise.js';
import { fade, field, linear, mix, radial, smoothstep } from '../drawing/paint.js';
import { ellipse, ground, path, polyline, rect } from '../drawing/shapes.js';
import { clouds, glowingDisc, hill, pine, ridgeLine, type Scene } from './scenery.js';

// Taken out of Math once, as in drawing/noise.ts.
const { abs, cos, floor, max, sin, sqrt } = Math;

/** Rows of green hills with firs below hazy mountains. */
export const forestAndMountains: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 520, [0, '#5b9bd0'], [0.7, '#bfdcec'], [1, '#eef3e6']));
    canvas.wash(clouds('#fffffff0', 330, 0.5, 12));
    canvas.wash(linear(0, 240, 0, 520, [0, '#eef3e600'], [1, '#eef3e6']));
    canvas.fill(
      ground(0, 1200, 800, ridgeLine(470, 360, 420, 3)),
      linear(0, 150, 0, 470, [0, '#6f8fae'], [1, '#c2d3da']),
    );
    canvas.fill(
      ground(0, 1200, 800, ridgeLine(500, 270, 260, 8)),
      linear(0, 260, 0, 500, [0, '#58789a'], [1, '#a9c2c2']),
    );
    const rows = [
      { y: 500, height: 60, dark: '#6d9a86', lit: '#8cb49a', seed: 31 },
      { y: 560, height: 90, dark: '#3f7a58', lit: '#67a070', seed: 37 },
      { y: 640, height: 150, dark: '#245a38', lit: '#4f9150', seed: 41 },
      { y: 780, height: 260, dark: '#123a22', lit: '#357a3a', seed: 43 },
    ];
    for (const row of rows) {
      const line = ridgeLine(row.y, 60, 330, row.seed);
      canvas.fill(
        ground(0, 1200, 800, line),
        linear(0, row.y - 50, 0, row.y + 80, [0, row.lit], [1, row.dark]),
      );
      const random = randomSource(row.seed);
      const step = row.height * 0.27;
      for (let x = -20; x < 1230; x += step * (0.6 + random() * 0.8)) {
        // The front row leaves the middle open, so that the valley can be seen.
        if (row.height > 200 && x > 330 && x < 840) continue;
        pine(
          canvas,
          x,
          line(x) + row.height * 0.12,
          row.height * (0.75 + random() * 0.5),
          row.dark,
          row.lit,
          floor(x) + row.seed,
        );
      }
      canvas.fill(
        ground(-60, 1260, row.y + 50, () => row.y - 6),
        '#f2f6ea70',
        { soften: 16 },
      );
    }
    hill(canvas, (x) => 752 - 26 * sin(x / 260), '#5f9e3c', '#2c6428', 800, 5);
  },
};

/** A steep white peak under a deep blue sky. */
export const snowyMountain: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 620, [0, '#1d58a8'], [0.6, '#6ba8de'], [1, '#d5e9f6']));
    canvas.wash(clouds('#ffffffd0', 380, 0.4, 3));
    const peak = (cx: number, top: number, slope: number, seed: number) => (x: number) =>
      top +
      abs(x - cx) * slope +
      (fractalNoise(x / 90, seed, 5, seed) - 0.5) * 90 * smoothstep(0, 60, abs(x - cx) + 14);
    const massif = [
      { cx: 210, top: 330, slope: 0.62, seed: 4, shade: '#8fb0d0' },
      { cx: 1020, top: 290, slope: 0.66, seed: 7, shade: '#86a8cc' },
      { cx: 610, top: 120, slope: 0.86, seed: 11, shade: '#5f86b4' },
    ];
    for (const { cx, top, slope, seed, shade } of massif) {
      // Light falls from the left: which side of the wandering ridge a place lies on decides its colour.
      const ridgeByRow = Array.from(
        { length: 800 },
        (_, y) => cx + (fractalNoise(y / 70, seed, 4, seed + 3) - 0.5) * 120 + (y - top) * 0.1,
      );
      const ridge = (y: number) => ridgeByRow[max(0, floor(y))] ?? cx;
      const snow = field(
        (x, y) => {
          const facet = (fractalNoise(x / 55 + y / 90, y / 120 - x / 200, 4, seed + 1) - 0.5) * 1.5;
          return smoothstep(-26, 26, x - ridge(y)) * 0.72 + facet * 0.5;
        },
        [0, '#ffffff'],
        [0.4, '#eaf2fa'],
        [1, shade],
      );
      const outline = ground(0, 1200, 690, peak(cx, top, slope, seed), 2);
      canvas.fill(outline, snow);
      // Bare rock where the noise is high; more of it further down.
      const rock = field(
        (x, y) => {
          const height = smoothstep(top + 20, top + 420, y);
          const cliff = fractalNoise(abs(x - ridge(y)) / 30 - y / 60, y / 75, 6, seed + 9);
          return smoothstep(0.6 - height * 0.08, 0.72 - height * 0.08, cliff);
        },
        [0, '#4a566800'],
        [1, '#4a5668e0'],
      );
      canvas.fill(outline, rock);
      canvas.fill(
        ground(0, 1200, 690, (x) => max(460, peak(cx, top, slope, seed)(x))),
        linear(0, 470, 0, 640, [0, '#dbe9f400'], [1, '#e6f0f8']),
      );
    }
    hill(canvas, (x) => 650 - 34 * sin(x / 250 + 1), '#ffffff', '#cfdfee', 800, 6);
    const random = randomSource(9);
    for (let tree = 0; tree < 34; tree++) {
      const x = tree < 18 ? random() * 430 : 800 + random() * 420;
      const y = 650 + (tree / 34) * 20 + random() * 60;
      const height = 80 + (y - 640) * 1.5;
      pine(canvas, x, y, height, '#17352c', '#3b6153', tree + 70);
      for (let layer = 2; layer < 8; layer++) {
        const [reach, level] = [height * 0.021 * layer, y - height * (1 - layer * 0.105)];
        canvas.fill(
          path(
            `M ${x - reach} ${level} Q ${x - reach * 0.3} ${level - height * 0.05} ${x + reach * 0.3} ${level - height * 0.035} Q ${x - reach * 0.2} ${level - height * 0.01} ${x - reach} ${level} Z`,
          ),
          '#f6fafdc8',
        );
      }
    }
    hill(canvas, (x) => 762 + 16 * sin(x / 170), '#ffffff', '#dce8f3', 800, 8);
  },
};

/** A rainbow over wet fields while the rain moves away. */
export const rainbowAfterRain: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(linear(0, 0, 1200, 300, [0, '#4c5a70'], [0.45, '#7f93a8'], [1, '#b8d4e6']));
    canvas.wash(clouds('#39465ad0', 420, 0.58, 31));
    canvas.wash(clouds('#e6eef4b0', 340, 0.4, 37));
    canvas.wash(linear(0, 330, 0, 560, [0, '#dfeaf000'], [1, '#e6eee8']));
    const bow = (radius: number, width: number, strength: number, reversed: boolean) => {
      const spectrum = ['#e8202a', '#ff7f1e', '#ffe135', '#2fbf4a', '#1f8fe0', '#3a3fc0', '#8a35b0'];
      const colors = reversed ? [...spectrum].reverse() : spectrum;
      const at = (index: number) => 1 - (width * (index + 0.5)) / colors.length / radius;
      canvas.wash(
        radial(
          600,
          640,
          radius,
          [at(6) - 0.03, fade(colors[6]!, 0)],
          ...colors.map((color, index) => [at(index), fade(color, strength)] as const).reverse(),
          [1.0, fade(colors[0]!, 0)],
        ),
      );
    };
    bow(560, 78, 0.72, false);
    canvas.fill(ellipse(600, 640, 478), '#ffffff26', { soften: 6 });
    canvas.fill(
      ground(0, 1200, 800, ridgeLine(566, 90, 300, 6)),
      linear(0, 480, 0, 580, [0, '#6f8f9a'], [1, '#9fb8a0']),
    );
    hill(canvas, (x) => 580 - 40 * sin(x / 210 + 0.6), '#8cc152', '#4f9140', 720, 3);
    hill(canvas, (x) => 640 - 36 * sin(x / 260 + 2.6), '#6bb03c', '#347a30', 800, 4);
    const random = randomSource(77);
    for (const [x, y, size] of [
      [205, 612, 46],
      [262, 604, 34],
      [980, 640, 60],
      [905, 634, 36],
    ] as const) {
      canvas.fill(rect(x - size * 0.06, y - size * 0.5, size * 0.12, size * 0.55), '#4a3626');
      for (let leaf = 0; leaf < 26; leaf++) {
        const [angle, far] = [random() * 6.28, sqrt(random()) * size * 0.55];
        const [lx, ly] = [x + cos(angle) * far, y - size * 0.95 + sin(angle) * far];
        canvas.fill(
          ellipse(lx, ly, size * 0.22),
          mix('#2a6a2c', '#86c04e', smoothstep(size * 0.5, -size * 0.6, ly - y + size * 0.95)),
        );
      }
    }
    hill(canvas, (x) => 730 - 18 * sin(x / 190), '#57a030', '#24601f', 800, 9);
    for (let drop = 0; drop < 240; drop++) {
      const [x, y] = [random() * 520, random() * 640];
      canvas.stroke(polyline(x, y, x - 7, y + 26), 1.2, fade('#e8f0f6', 0.3 * (1 - x / 520)));
    }
    for (let flower = 0; flower < 90; flower++) {
      const [x, y] = [random() * 1200, 742 + random() * 56];
      canvas.fill(
        ellipse(x, y, 2 + (y - 735) / 22),
        flower % 3 === 0 ? '#ffe04a' : flower % 3 === 1 ? '#ffffff' : '#e8556a',
      );
    }
  },
};

/** A tall saguaro cactus among sand dunes. */
export const desertCactus: Scene = {
  width: 1080,
  height: 720,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 430, [0, '#3f9bd8'], [0.7, '#bfe0ea'], [1, '#fbe9c4']));
    glowingDisc(canvas, 850, 110, 46, '#fffbe6', '#ffe9a0');
    for (const [left, right, top, color] of [
      [60, 330, 300, '#c0663f'],
      [270, 420, 338, '#cf7a4c'],
      [760, 1010, 322, '#c97048'],
    ] as const) {
      canvas.fill(
        path(
          `M ${left - 60} 440 L ${left + 12} ${top + 26} L ${left + 20} ${top} L ${right - 24} ${top} L ${right - 10} ${top + 30} L ${right + 64} 440 Z`,
        ),
        field(
          (x, y) => 0.5 + (valueNoise(x / 400, y / 9, 3) - 0.5) * 0.9 + (x - left) / 700,
          [0, mix(color, '#ffffff', 0.2)],
          [1, mix(color, '#401808', 0.35)],
        ),
      );
    }
    const dune = (top: (x: number) => number, light: string, dark: string, seed: number) =>
      canvas.fill(
        ground(0, 1080, 720, top),
        field(
          (x, y) =>
            (y - top(x)) / 190 +
            sin((y - top(x)) / 7 + fractalNoise(x / 120, y / 60, 3, seed) * 16) * 0.05 +
            (fractalNoise(x / 220, y / 60, 3, seed) - 0.5) * 0.7,
          [0, light],
          [1, dark],
        ),
      );
    dune((x) => 432 - 26 * sin(x / 170 + 0.4), '#f6cf8e', '#d99a55', 4);
    dune((x) => 500 - 36 * sin(x / 240 + 2.2), '#f8d696', '#cf8b48', 5);
    dune((x) => 600 - 30 * sin(x / 300 + 4.4), '#fbdc9f', '#c98343', 6);
    const saguaro = (x: number, y: number, scale: number) =>
      canvas.within(x, y, scale, 0, () => {
        canvas.fill(ellipse(-70, 2, 120, 11), '#6b3d1e90', { soften: 7 });
        const limbs: [string, number][] = [
          ['M -6 -150 Q -92 -146 -92 -196 L -92 -262', 42],
          ['M 6 -196 Q 86 -192 86 -242 L 86 -318', 40],
          ['M 0 0 L 0 -385', 62],
        ];
        for (const [centre, width] of limbs) {
          canvas.stroke(path(centre), width, '#1f5a30');
          // Ribs: thinner and brighter lines inside, shifted towards the light.
          canvas.within(width * 0.06, 0, 1, 0, () => canvas.stroke(path(centre), width * 0.78, '#2f7a3c'));
          canvas.within(width * 0.17, 0, 1, 0, () => canvas.stroke(path(centre), width * 0.5, '#4b9a4a'));
          canvas.within(width * 0.25, 0, 1, 0, () => canvas.stroke(path(centre), width * 0.22, '#79be62'));
          for (const rib of [-0.3, -0.1, 0.1, 0.3])
            canvas.within(width * rib, 0, 1, 0, () => canvas.stroke(path(centre), 1.6, '#174a2666'));
        }
        const random = randomSource(8);
        for (let spine = 0; spine < 120; spine++) {
          const [sx, sy] = [(random() - 0.5) * 58, -8 - random() * 385];
          canvas.stroke(polyline(sx, sy, sx + (random() - 0.5) * 9, sy - 5), 1.1, '#f2efd0b0');
        }
        for (const [fx, fy] of [
          [0, -420],
          [-14, -414],
          [14, -414],
          [-92, -286],
          [86, -340],
        ] as const) {
          for (const petal of [-1, 0, 1])
            canvas.fill(ellipse(fx + petal * 6, fy, 6, 9), petal === 0 ? '#ffe36a' : '#f45a86');
        }
      });
    for (const [x, y, scale] of [
      [120, 500, 0.3],
      [858, 520, 0.42],
      [400, 626, 1.12],
    ] as const) {
      saguaro(x, y, scale);
      // Sand blown against the foot.
      canvas.fill(
        ellipse(x, y + 26 * scale, 86 * scale, 27 * scale),
        linear(0, y, 0, y + 50 * scale, [0, '#eec47f'], [1, '#e2b06a']),
        { soften: 4 * scale },
      );
    }
    const random = randomSource(15);
    for (let stone = 0; stone < 26; stone++) {
      const [x, y] = [random() * 1080, 620 + random() * 95];
      const size = 3 + random() * 12 * ((y - 590) / 100);
      canvas.fill(ellipse(x - size * 0.3, y + size * 0.3, size * 1.4, size * 0.5), '#7a451f70', {
        soften: 2,
      });
      canvas.fill(
        ellipse(x, y, size, size * 0.62),
        linear(x - size, y, x + size, y - size, [0, '#8a5a36'], [1, '#e0b484']),
      );
    }
  },
};
