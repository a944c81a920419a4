import { fractalNoise, randomSource, valueNoise } from '../drawing/noise.js';
import { fade, field, linear, mix, radial, smoothstep, type Shader } from '../drawing/paint.js';
import { ellipse, path, place, polygon, polyline, rect } from '../drawing/shapes.js';
import { clouds, stars, type Scene } from './scenery.js';

/** Wooden boards along the x axis, `plank` high, with grain. */
function woodenBoards(light: string, dark: string, plank: number, seed: number): Shader {
  return field(
    (x, y) => {
      const board = Math.floor(y / plank);
      const inside = y / plank - board;
      const tone = valueNoise(board * 7.7, 3, seed) * 0.35;
      const grain =
        fractalNoise(x / 190 + board * 31, (y + 9 * valueNoise(x / 130, board, seed)) / 5, 3, seed) * 0.5;
      const gap = smoothstep(0.05, 0, inside) + smoothstep(0.96, 1, inside);
      return tone + grain + gap * 0.7;
    },
    [0, light],
    [1, dark],
  );
}

/** One red apple with a leaf on a wooden table. */
export const redApple: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(radial(430, 220, [900, 700], [0, '#f7e7c8'], [0.5, '#d9b98c'], [1, '#7a5a3c']));
    canvas.within(0, 520, 1, 0, () =>
      canvas.fill(rect(0, 0, 1200, 280), woodenBoards('#c98d52', '#6e3f1d', 72, 4)),
    );
    canvas.fill(rect(0, 520, 1200, 280), linear(0, 520, 0, 800, [0, '#2a140800'], [1, '#2a140880']));
    canvas.fill(rect(0, 514, 1200, 10), '#50301870', { soften: 4 });
    canvas.within(600, 430, 1.55, 0, () => {
      canvas.fill(ellipse(70, 152, 190, 26), '#1e0c04', { soften: 14, opacity: 0.62 });
      canvas.fill(ellipse(10, 158, 96, 12), '#120502', { soften: 6, opacity: 0.7 });
      const body = path(
        'M 0 -104 C 40 -152 136 -148 158 -66 C 184 40 128 150 60 158 C 32 161 16 149 0 149 ' +
          'C -16 149 -32 161 -60 158 C -128 150 -184 40 -158 -66 C -136 -148 -40 -152 0 -104 Z',
      );
      canvas.fill(
        body,
        radial(
          -60,
          -50,
          265,
          [0, '#ff6a4e'],
          [0.28, '#e8262c'],
          [0.62, '#bb101f'],
          [0.85, '#7d0815'],
          [1, '#54040e'],
        ),
      );
      canvas.clip(body, () => {
        // Fine yellow streaks run from the dimple down the sides.
        canvas.wash(
          field(
            (x, y) => {
              const angle = Math.atan2(x, y + 104) * 26;
              const far = Math.hypot(x, (y + 104) * 0.7);
              return smoothstep(0.52, 0.8, fractalNoise(angle, far / 130, 3, 6)) * smoothstep(210, 30, far);
            },
            [0, '#ffc85a00'],
            [1, '#ffc85a90'],
          ),
        );
        canvas.fill(ellipse(0, -106, 54, 22), '#3c0a08', { soften: 9, opacity: 0.8 });
        canvas.fill(ellipse(0, -98, 30, 10), '#8f7a24', { soften: 7, opacity: 0.55 });
        canvas.fill(ellipse(96, 150, 120, 60), '#ff9a6a', { soften: 26, opacity: 0.28 });
        canvas.fill(place(ellipse(0, 0, 30, 58), -92, -42, 1, 24), '#ffffff', { soften: 11, opacity: 0.7 });
        canvas.fill(place(ellipse(0, 0, 10, 20), -84, -66, 1, 28), '#ffffff', { soften: 3, opacity: 0.85 });
      });
      canvas.stroke(path('M 0 -98 Q 2 -136 22 -172'), 11, '#3d2411');
      canvas.stroke(path('M -2 -100 Q 0 -136 19 -170'), 4, '#7d5630');
      const leaf = path('M 10 -134 C 44 -190 118 -196 158 -166 C 132 -124 62 -110 10 -134 Z');
      canvas.fill(leaf, linear(20, -180, 120, -110, [0, '#8ed04a'], [0.5, '#4c9e2e'], [1, '#22601c']));
      canvas.stroke(path('M 14 -136 Q 80 -158 150 -166'), 2.4, '#c6ec8e');
      for (const [from, to, tip] of [
        [46, 62, -176],
        [76, 96, -178],
        [60, 84, -128],
        [94, 118, -136],
      ] as const) {
        canvas.stroke(polyline(from, -142 - (from - 14) * 0.22, to, tip), 1.3, '#b4e07a');
      }
    });
  },
};

/** A sunflower before the summer sky, upright. */
export const sunflower: Scene = {
  width: 840,
  height: 1120,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 1120, [0, '#2f8be0'], [0.6, '#9fd2f4'], [1, '#e3f2e0']));
    canvas.wash(clouds('#ffffffd0', 340, 0.45, 6));
    const random = randomSource(12);
    for (let blur = 0; blur < 46; blur++) {
      const [x, y] = [random() * 840, 930 + random() * 210];
      canvas.fill(
        ellipse(x, y, 34 + random() * 30),
        random() < 0.26 ? '#f6c531' : mix('#2f7a2c', '#74b344', random()),
        { soften: 9 },
      );
    }
    canvas.stroke(path('M 424 480 Q 452 800 430 1130'), 36, '#2f6e26');
    canvas.stroke(path('M 419 480 Q 446 800 424 1130'), 18, '#5fa53d');
    for (const [x, y, turn, size] of [
      [438, 850, -24, 1],
      [440, 940, 206, 0.92],
    ] as const) {
      canvas.within(x, y, [size, turn > 90 ? -size : size], turn, () => {
        const leaf = path('M 0 0 C 60 -110 200 -120 290 -30 C 200 50 80 60 0 0 Z');
        canvas.fill(leaf, linear(0, -80, 60, 60, [0, '#7fc44c'], [0.6, '#3f8a2e'], [1, '#1f5a1e']));
        canvas.stroke(path('M 0 0 Q 130 -40 280 -31'), 4, '#b5dc7c');
        for (const side of [70, 120, 170, 220])
          canvas.stroke(
            path(
              `M ${side} ${-side * 0.17 - 6} Q ${side + 20} -60 ${side + 34} -72 M ${side} ${-side * 0.17 - 6} Q ${side + 26} 4 ${side + 36} 14`,
            ),
            1.8,
            '#a3cf6c',
          );
      });
    }
    canvas.within(420, 420, 1, 0, () => {
      const petals = (
        count: number,
        length: number,
        width: number,
        offset: number,
        light: string,
        dark: string,
      ) => {
        for (let petal = 0; petal < count; petal++) {
          const turn = (petal / count) * 360 + offset + (random() - 0.5) * 7;
          const reach = length * (0.9 + random() * 0.18);
          canvas.within(0, 0, 1, turn, () => {
            const outline = path(
              `M 100 0 C 150 ${-width} ${reach - 60} ${-width} ${reach} 0 C ${reach - 60} ${width} 150 ${width} 100 0 Z`,
            );
            canvas.fill(
              outline,
              linear(110, 0, reach, 0, [0, dark], [0.4, mix(dark, light, 0.6)], [1, light]),
            );
            canvas.stroke(
              path(
                `M 120 0 L ${reach - 26} 0 M 124 -8 Q ${reach - 90} -14 ${reach - 44} -8 M 124 8 Q ${reach - 90} 14 ${reach - 44} 8`,
              ),
              1.6,
              fade(dark, 0.55),
            );
          });
        }
      };
      petals(21, 330, 54, 8, '#f7b51a', '#c46a08');
      petals(21, 300, 50, 0, '#ffdf3a', '#ea9a10');
      canvas.fill(
        ellipse(0, 0, 150),
        radial(0, 0, 150, [0, '#6b4a1c'], [0.5, '#3c2410'], [0.85, '#241408'], [1, '#3a220c']),
      );
      // Florets in Vogel's pattern (1979): the n-th at angle n times 137.508 degrees, distance c sqrt(n).
      for (let floret = 0; floret < 620; floret++) {
        const angle = floret * 137.508 * (Math.PI / 180);
        const far = 5.9 * Math.sqrt(floret);
        const share = far / 147;
        canvas.fill(
          ellipse(far * Math.cos(angle), far * Math.sin(angle), 2 + share * 2.4),
          mix(share < 0.45 ? '#9a8a34' : '#7c4c18', share > 0.8 ? '#e2a32a' : '#4e2c10', random() * 0.8),
        );
      }
      canvas.fill(ellipse(-40, -46, 70, 56), '#ffe9a0', { soften: 24, opacity: 0.16, blend: 'screen' });
    });
  },
};

/** A steaming cup of coffee on a saucer, with beans. */
export const coffeeCup: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(linear(0, 0, 1200, 420, [0, '#3b2a22'], [0.5, '#6a4a36'], [1, '#2c1e18']));
    const random = randomSource(5);
    for (let light = 0; light < 16; light++) {
      canvas.fill(
        ellipse(random() * 1200, random() * 330, 26 + random() * 34),
        mix('#ffb45a', '#ffe2b0', random()),
        { soften: 7, opacity: 0.1 + random() * 0.2, blend: 'screen' },
      );
    }
    canvas.within(0, 450, 1, 0, () =>
      canvas.fill(rect(0, 0, 1200, 350), woodenBoards('#8f5c36', '#3c2010', 88, 11)),
    );
    canvas.fill(
      rect(0, 450, 1200, 350),
      linear(0, 450, 0, 800, [0, '#1c0c0490'], [0.4, '#1c0c0400'], [1, '#1c0c0460']),
    );
    canvas.fill(ellipse(620, 676, 350, 66), '#100602', { soften: 18, opacity: 0.7 });
    canvas.fill(
      ellipse(600, 656, 330, 72),
      linear(280, 0, 930, 0, [0, '#ffffff'], [0.5, '#f1ebe2'], [1, '#a99c8c']),
    );
    canvas.fill(
      ellipse(600, 650, 318, 64),
      linear(280, 0, 930, 0, [0, '#eee7dc'], [0.5, '#ffffff'], [1, '#c4b8a8']),
    );
    canvas.fill(ellipse(604, 654, 176, 34), '#8b7a68', { soften: 10, opacity: 0.8 });
    canvas.stroke(path('M 800 410 C 930 386 934 560 768 556'), 40, '#b9ab9a');
    canvas.stroke(path('M 800 406 C 924 384 926 552 768 550'), 30, '#f6f1e9');
    const bowl = path('M 372 330 C 376 500 430 640 520 654 L 680 654 C 770 640 824 500 828 330 Z');
    canvas.fill(
      bowl,
      linear(
        372,
        0,
        828,
        0,
        [0, '#d8cdbf'],
        [0.18, '#ffffff'],
        [0.55, '#f7f2ea'],
        [0.85, '#c9bcab'],
        [1, '#978a7a'],
      ),
    );
    canvas.clip(bowl, () => {
      for (const [height, width] of [
        [446, 16],
        [474, 5],
      ] as const)
        canvas.stroke(path(`M 360 ${height} Q 600 ${height + 96} 840 ${height}`), width, '#2d6f8e');
    });
    canvas.fill(
      ellipse(600, 330, 228, 58),
      linear(372, 0, 828, 0, [0, '#ffffff'], [0.6, '#efe8de'], [1, '#c8bcac']),
    );
    canvas.fill(ellipse(600, 334, 210, 49), '#6d5848');
    canvas.clip(ellipse(600, 334, 210, 49), () => {
      canvas.fill(
        ellipse(600, 346, 206, 46),
        radial(560, 336, [230, 60], [0, '#7a4620'], [0.6, '#4a260e'], [1, '#2a1206']),
      );
      canvas.stroke(polygon(...ellipse(600, 346, 202, 43)[0]!.points), 7, '#c08a4c', {
        soften: 2,
        opacity: 0.8,
      });
      canvas.fill(ellipse(524, 336, 76, 13), '#f0c890', { soften: 7, opacity: 0.5 });
    });
    for (const [x, sway, strength] of [
      [520, 60, 0.34],
      [604, -70, 0.42],
      [684, 54, 0.3],
    ] as const) {
      const wisp = path(
        `M ${x} 318 C ${x + sway} 250 ${x - sway} 190 ${x + sway * 0.3} 120 C ${x + sway} 80 ${x - sway * 0.3} 50 ${x + sway * 0.4} 6`,
      );
      canvas.stroke(wisp, 26, '#ffffff', { soften: 13, opacity: strength });
      canvas.stroke(wisp, 8, '#ffffff', { soften: 5, opacity: strength });
    }
    for (const [x, y, turn] of [
      [176, 690, 20],
      [238, 736, -35],
      [120, 754, 70],
      [1010, 708, -18],
      [1076, 752, 48],
      [960, 768, 10],
      [320, 770, 5],
    ] as const) {
      canvas.fill(ellipse(x + 8, y + 12, 36, 16), '#0c0402', { soften: 6, opacity: 0.7 });
      canvas.within(x, y, 1, turn, () => {
        canvas.fill(
          ellipse(0, 0, 34, 22),
          radial(-10, -8, 44, [0, '#a5683a'], [0.5, '#65361a'], [1, '#2e1408']),
        );
        canvas.stroke(path('M -31 0 Q -10 -9 0 0 Q 10 9 31 0'), 4, '#1e0c04');
      });
    }
  },
};

/** A sitting cat as a silhouette before the full moon. */
export const catInMoonlight: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 800, [0, '#060a24'], [0.6, '#17275c'], [1, '#3a4a86']));
    stars(canvas, 1200, 560, 240, 3);
    canvas.wash(radial(640, 330, 640, [0, '#c8d8ff90'], [0.42, '#8fa8f040'], [1, '#8fa8f000']), {
      blend: 'screen',
    });
    canvas.fill(
      ellipse(640, 330, 262),
      field(
        (x, y) => {
          const seas = smoothstep(0.46, 0.66, fractalNoise(x / 170 + 3, y / 170, 5, 21));
          const edge = Math.hypot(x - 640, y - 330) / 262;
          return seas * 0.55 + edge ** 4 * 0.25;
        },
        [0, '#fffbe4'],
        [0.5, '#e2dcc0'],
        [1, '#b9b39c'],
      ),
    );
    canvas.wash(clouds('#1c2a5cb0', 460, 0.42, 15));
    // The ridge of a tiled roof with a chimney.
    canvas.fill(
      polygon(0, 676, 1200, 640, 1200, 800, 0, 800),
      linear(0, 640, 0, 800, [0, '#141a38'], [1, '#0a0e22']),
    );
    for (let tile = -1; tile < 27; tile++)
      canvas.fill(ellipse(tile * 48 + 20, 672 - tile * 1.44, 30, 13), '#10152e');
    for (let row = 0; row < 4; row++) {
      for (let tile = 0; tile < 27; tile++) {
        const [x, y] = [tile * 48 + (row % 2) * 24, 708 + row * 32 - tile * 1.44];
        canvas.stroke(path(`M ${x - 24} ${y - 8} Q ${x} ${y + 22} ${x + 24} ${y - 9}`), 2.4, '#2a3564');
      }
    }
    canvas.fill(
      rect(1000, 500, 96, 170),
      linear(1000, 0, 1096, 0, [0, '#2e3866'], [0.3, '#151b3a'], [1, '#0c1024']),
    );
    canvas.fill(rect(988, 482, 120, 26), '#1a2146');
    const fur = '#070a18';
    canvas.within(640, 668, 1.5, -1.7, () => {
      canvas.stroke(path('M 66 -14 C 140 0 176 -22 170 -66 C 166 -98 136 -100 138 -76'), 19, fur);
      canvas.fill(
        path(
          'M -44 -206 C -92 -150 -108 -60 -88 -8 Q -84 6 -60 6 L 60 6 Q 84 6 88 -8 C 108 -60 92 -150 44 -206 Z',
        ),
        fur,
      );
      canvas.fill(ellipse(0, -232, 60, 51), fur);
      canvas.fill(polygon(-57, -226, -60, -312, -12, -272), fur);
      canvas.fill(polygon(57, -226, 60, -312, 12, -272), fur);
      canvas.fill(ellipse(-34, 4, 30, 13), fur);
      canvas.fill(ellipse(34, 4, 30, 13), fur);
      canvas.stroke(path('M -26 -100 L -22 -2 M 26 -100 L 22 -2'), 2, '#1b2448');
      for (const side of [-1, 1]) {
        canvas.fill(polygon(side * 50, -246, side * 54, -294, side * 24, -272), '#1d2342');
        canvas.fill(
          place(path('M -17 0 Q 0 -17 17 0 Q 0 14 -17 0 Z'), side * 24, -236, 1, side * 12),
          '#f8d84a',
        );
        canvas.fill(ellipse(side * 24, -237, 3.4, 9), '#0a0a10');
        for (const level of [-1, 0, 1])
          canvas.stroke(
            path(
              `M ${side * 16} ${-208 + level * 4} Q ${side * 50} ${-212 + level * 10} ${side * 88} ${-206 + level * 18}`,
            ),
            1.3,
            '#aab6e0',
          );
      }
      canvas.fill(polygon(-7, -218, 7, -218, 0, -210), '#c8788a');
      canvas.stroke(path('M 0 -210 L 0 -204 Q -8 -196 -15 -202 M 0 -204 Q 8 -196 15 -202'), 2, '#5a6290');
    });
  },
};
