import type { Canvas } from '../drawing/canvas.js';
import { writeText } from '../drawing/lettering.js';
import { fractalNoise, latticeHash, randomSource, valueNoise } from '../drawing/noise.js';
import { fade, field, linear, mix, radial, smoothstep } from '../drawing/paint.js';
import { ellipse, path, polygon, polyline, rect } from '../drawing/shapes.js';
import { glowingDisc, ripples, stars, type Scene } from './scenery.js';

/** A row of towers with lit windows; gives where they stand, so that the water can mirror them. */
function towers(
  canvas: Canvas,
  base: number,
  row: { seed: number; tallest: number; body: string; lit: number },
): void {
  const random = randomSource(row.seed);
  for (let x = -20; x < 1220;) {
    const width = 58 + random() * 74;
    const height = row.tallest * (0.42 + 0.58 * random()) * (0.72 + 0.28 * Math.sin((x / 1200) * Math.PI));
    const top = base - height;
    canvas.fill(
      rect(x, top, width, height),
      linear(
        x,
        0,
        x + width,
        0,
        [0, mix(row.body, '#ffffff', 0.1)],
        [0.5, row.body],
        [1, mix(row.body, '#000000', 0.35)],
      ),
    );
    const kind = random();
    if (kind < 0.25) {
      canvas.fill(polygon(x + width * 0.2, top, x + width * 0.5, top - 54, x + width * 0.8, top), row.body);
      canvas.stroke(polyline(x + width / 2, top - 50, x + width / 2, top - 100), 2.4, row.body);
      canvas.fill(ellipse(x + width / 2, top - 100, 3), '#ff5a4a');
    } else if (kind < 0.5) {
      canvas.fill(rect(x + width * 0.2, top - 22, width * 0.6, 24), row.body);
    }
    const [columns, rows] = [Math.floor((width - 14) / 13), Math.floor((height - 16) / 18)];
    for (let column = 0; column < columns; column++) {
      for (let floor = 0; floor < rows; floor++) {
        if (random() > row.lit) continue;
        const glow = mix('#ffdf8a', random() < 0.2 ? '#bfe4ff' : '#ffb44a', random());
        canvas.fill(
          rect(x + 9 + column * 13, top + 12 + floor * 18, 7.4, 10.5),
          fade(glow, 0.65 + random() * 0.35),
        );
      }
    }
    x += width + random() * 10 - 2;
  }
}

/** Skyscrapers with lit windows at night, mirrored in a river. */
export const cityAtNight: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    const shore = 590;
    canvas.wash(linear(0, 0, 0, shore, [0, '#050818'], [0.55, '#141c48'], [0.85, '#3a2c64'], [1, '#7a4a70']));
    stars(canvas, 1200, 330, 170, 2);
    glowingDisc(canvas, 960, 120, 40, '#fdf6dc', '#6a78b8');
    towers(canvas, shore, { seed: 5, tallest: 380, body: '#28305c', lit: 0.24 });
    canvas.fill(rect(0, 400, 1200, 190), '#5a3f6c', { opacity: 0.25 });
    towers(canvas, shore, { seed: 9, tallest: 470, body: '#121733', lit: 0.46 });
    canvas.fill(rect(0, shore - 6, 1200, 12), '#0a0d1e');
    canvas.clip(rect(0, shore + 4, 1200, 220), () => {
      canvas.wash(linear(0, shore, 0, 800, [0, '#2c2550'], [1, '#070a1c']));
      canvas.within(0, shore * 1.55 + 4, [1, -0.55], 0, () =>
        towers(canvas, shore, { seed: 9, tallest: 470, body: '#10142e', lit: 0.46 }),
      );
      canvas.wash('#0b1026', { opacity: 0.42 });
      const random = randomSource(31);
      for (let streak = 0; streak < 130; streak++) {
        const [x, y] = [random() * 1200, shore + 10 + random() ** 1.3 * 200];
        canvas.fill(ellipse(x, y, 14 + random() * 34, 1.4), fade(mix('#ffd27a', '#ff8f5a', random()), 0.5));
      }
      ripples(canvas, { left: 0, right: 1200, top: shore + 8, bottom: 800 }, '#070a1c90', 190, 12);
    });
    for (let lamp = 0; lamp < 20; lamp++) {
      canvas.fill(ellipse(30 + lamp * 60, shore - 10, 13), '#ffc86a', {
        soften: 6,
        blend: 'screen',
        opacity: 0.8,
      });
      canvas.fill(ellipse(30 + lamp * 60, shore - 10, 3), '#fff2cc');
    }
  },
};

function carWheel(canvas: Canvas, x: number, y: number): void {
  canvas.fill(ellipse(x, y, 62), '#17181c');
  canvas.fill(
    ellipse(x, y, 42),
    radial(x - 10, y - 12, 60, [0, '#f2f4f6'], [0.7, '#a2a8b0'], [1, '#5c626a']),
  );
  for (let spoke = 0; spoke < 5; spoke++) {
    canvas.within(x, y, 1, spoke * 72, () =>
      canvas.fill(path('M -8 -12 L 8 -12 12 -36 -12 -36 Z'), '#3a3e46'),
    );
  }
  canvas.fill(ellipse(x, y, 10), '#dfe3e8');
}

/** A yellow taxi on a street before shop fronts. */
export const yellowTaxi: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 500, [0, '#8ec4ec'], [1, '#e6f1f6']));
    const houses = [
      [0, 250, 60, '#b5533c'],
      [250, 230, 0, '#d9c3a0'],
      [480, 260, 90, '#7d8fa0'],
      [740, 220, 30, '#c47a4e'],
      [960, 240, 80, '#8b4a40'],
    ] as const;
    houses.forEach(([x, width, top, color], house) => {
      canvas.fill(
        rect(x, top, width, 520 - top),
        linear(x, 0, x + width, 0, [0, mix(color, '#ffffff', 0.12)], [1, mix(color, '#000000', 0.14)]),
      );
      canvas.fill(rect(x - 4, top - 4, width + 8, 18), mix(color, '#ffffff', 0.35));
      for (let floor = 0; floor < 3; floor++) {
        for (let column = 0; column < 3; column++) {
          const [wx, wy] = [x + 26 + (column * (width - 40)) / 3, top + 40 + floor * 96];
          if (wy > 300) continue;
          canvas.fill(rect(wx - 4, wy - 4, 50, 70), mix(color, '#ffffff', 0.5));
          canvas.fill(
            rect(wx, wy, 42, 62),
            linear(wx, wy, wx + 42, wy + 62, [0, '#9fc4dc'], [0.5, '#4f7590'], [1, '#2d4a60']),
          );
          canvas.stroke(
            path(`M ${wx + 21} ${wy} L ${wx + 21} ${wy + 62} M ${wx} ${wy + 30} L ${wx + 42} ${wy + 30}`),
            3,
            '#eef2f2',
          );
        }
      }
      canvas.fill(rect(x + 14, 390, width - 28, 130), linear(0, 390, 0, 520, [0, '#ffe9b4'], [1, '#7a6048']));
      const awning = ['#c8323a', '#2f7a58', '#2c5f9e', '#d08a22', '#7a3a80'][house]!;
      for (let stripe = 0; stripe < 8; stripe++) {
        const [left, wide] = [x + 6 + (stripe * (width - 12)) / 8, (width - 12) / 8];
        canvas.fill(
          path(
            `M ${left} 350 L ${left + wide} 350 ${left + wide} 400 Q ${left + wide / 2} 420 ${left} 400 Z`,
          ),
          stripe % 2 ? '#fbf6ec' : awning,
        );
      }
    });
    canvas.fill(rect(0, 512, 1200, 58), linear(0, 512, 0, 570, [0, '#c9c3b8'], [1, '#a39d92']));
    canvas.fill(rect(0, 566, 1200, 12), '#6d6a66');
    canvas.fill(
      rect(0, 578, 1200, 222),
      field(
        (x, y) => (y - 578) / 222 + (fractalNoise(x / 6, y / 4, 3, 4) - 0.5) * 0.7,
        [0, '#5a5d64'],
        [1, '#3c3f46'],
      ),
    );
    for (let dash = 0; dash < 6; dash++)
      canvas.fill(
        polygon(dash * 230 - 40, 752, dash * 230 + 90, 752, dash * 230 + 84, 768, dash * 230 - 50, 768),
        '#f2eedc',
      );
    canvas.within(600, 660, 1.2, 0, () => {
      canvas.fill(ellipse(0, 52, 430, 26), '#0c0d10', { soften: 10, opacity: 0.7 });
      const paint = linear(
        0,
        -230,
        0,
        40,
        [0, '#ffe14a'],
        [0.45, '#ffc60a'],
        [0.8, '#e8a400'],
        [1, '#a87400'],
      );
      canvas.fill(
        path(
          'M -392 10 C -404 -40 -396 -84 -372 -92 C -320 -104 -262 -108 -226 -114 C -176 -170 -132 -206 -84 -212 L 96 -212 C 148 -208 192 -166 232 -112 C 300 -106 356 -98 384 -74 C 402 -54 404 -16 396 14 Q 390 34 360 34 L -360 34 Q -386 34 -392 10 Z',
        ),
        paint,
      );
      canvas.fill(
        path('M -198 -114 C -160 -158 -122 -190 -80 -194 L -8 -194 -8 -114 Z'),
        linear(-190, -190, -10, -114, [0, '#cfe6f2'], [0.45, '#5f8298'], [1, '#1e3444']),
      );
      canvas.fill(
        path('M 12 -194 L 92 -194 C 134 -190 168 -158 204 -114 L 12 -114 Z'),
        linear(12, -190, 200, -114, [0, '#cfe6f2'], [0.45, '#5f8298'], [1, '#1e3444']),
      );
      canvas.stroke(
        path('M 0 -196 L 0 30 M -206 -112 Q -214 -30 -190 30 M 212 -110 Q 222 -40 196 30'),
        2.6,
        '#8a6000',
      );
      for (let square = 0; square < 44; square++) {
        for (const level of [0, 1]) {
          canvas.fill(
            rect(-264 + square * 12, -66 + level * 12, 12, 12),
            (square + level) % 2 ? '#141414' : '#fdf6e0',
          );
        }
      }
      writeText(canvas, 'CITY TAXI', {
        x: -92,
        y: 0,
        size: 23,
        weight: 0.2,
        align: 'center',
        paint: '#191919',
      });
      writeText(canvas, '4C27', { x: 98, y: 0, size: 23, weight: 0.2, align: 'center', paint: '#191919' });
      for (const handle of [-34, 178]) canvas.fill(rect(handle, -96, 26, 8, 4), '#4a4a4a');
      canvas.fill(ellipse(380, -50, 17, 24), '#fff7d6');
      canvas.stroke(polygon(...ellipse(380, -50, 17, 24)[0]!.points), 3, '#a8aeb4');
      canvas.fill(rect(-394, -74, 16, 40, 6), '#d8262c');
      canvas.fill(rect(362, 2, 46, 18, 8), '#c4cad0');
      canvas.fill(rect(-408, 2, 50, 18, 8), '#c4cad0');
      canvas.fill(ellipse(-252, 34, 74, 68), '#1a1408');
      canvas.fill(ellipse(252, 34, 74, 68), '#1a1408');
      carWheel(canvas, -252, 44);
      carWheel(canvas, 252, 44);
      canvas.fill(rect(-62, -262, 136, 44, 9), '#2a2a2a');
      canvas.fill(rect(-56, -257, 124, 34, 6), '#fff8dc');
      writeText(canvas, 'TAXI', { x: 6, y: -229, size: 23, weight: 0.2, align: 'center', paint: '#161616' });
      canvas.fill(rect(-60, -220, 132, 9), '#3a3a3a');
    });
  },
};

/** A traffic light at dusk, showing red. */
export const trafficLight: Scene = {
  width: 800,
  height: 1200,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 1200, [0, '#26386a'], [0.5, '#7a6a94'], [0.8, '#e09a78'], [1, '#4a3a48']));
    const random = randomSource(3);
    for (let block = 0; block < 9; block++) {
      const top = 620 + random() * 330;
      canvas.fill(rect(block * 96 - 30, top, 110, 1200 - top), mix('#2c2a4a', '#46384f', random()), {
        soften: 7,
      });
    }
    for (let light = 0; light < 60; light++) {
      const color = ['#ffc76a', '#ff7a5a', '#fff0c4', '#8fd0ff'][light % 4]!;
      canvas.fill(ellipse(random() * 800, 700 + random() * 440, 12 + random() * 26), color, {
        soften: 3,
        opacity: 0.14 + random() * 0.3,
        blend: 'screen',
      });
    }
    canvas.fill(
      rect(374, 900, 52, 300),
      linear(374, 0, 426, 0, [0, '#5a6068'], [0.3, '#868c94'], [1, '#23262b']),
    );
    canvas.fill(rect(240, 130, 320, 800, 60), '#0c0d10', { soften: 12, opacity: 0.5 });
    canvas.fill(
      rect(236, 110, 328, 806, 64),
      linear(236, 0, 564, 0, [0, '#3a3f46'], [0.2, '#23272c'], [1, '#0e1013']),
    );
    canvas.stroke(rect(248, 122, 304, 782, 54), 5, '#f2c230');
    const lamps = [
      { y: 268, on: '#ff2a1e', core: '#ff8a6a', lit: true },
      { y: 512, on: '#4a3608', core: '#6a5010', lit: false },
      { y: 756, on: '#0c3a20', core: '#145030', lit: false },
    ];
    for (const { y, on, core, lit } of lamps) {
      canvas.fill(ellipse(400, y, 112), '#07080a');
      canvas.fill(
        ellipse(400, y, 98),
        radial(386, y - 20, 130, [0, core], [0.55, on], [1, mix(on, '#000000', 0.45)]),
      );
      canvas.clip(ellipse(400, y, 98), () => {
        for (let row = -7; row < 8; row++) {
          for (let column = -7; column < 8; column++) {
            canvas.stroke(
              rect(400 + column * 15 + (row % 2) * 7, y + row * 15, 13, 13, 5),
              1,
              fade('#ffffff', lit ? 0.2 : 0.07),
            );
          }
        }
      });
      if (lit) {
        canvas.wash(
          radial(400, y, 430, [0, '#ff5030b0'], [0.24, '#ff302070'], [0.6, '#ff201822'], [1, '#ff201800']),
          { blend: 'screen' },
        );
        canvas.fill(ellipse(378, y - 26, 44, 36), '#ffe0c8', { soften: 18, opacity: 0.75 });
      }
      canvas.fill(
        path(
          `M 282 ${y - 6} C 282 ${y - 160} 518 ${y - 160} 518 ${y - 6} C 500 ${y - 112} 300 ${y - 112} 282 ${y - 6} Z`,
        ),
        linear(282, 0, 518, 0, [0, '#454b54'], [1, '#121417']),
      );
    }
  },
};

/** A brick wall with an white enamel street sign that reads STATION ROAD. */
export const streetSign: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash('#a8998a');
    canvas.wash((x, y, out) => {
      const row = Math.floor(y / 42);
      const along = x / 118 + (row % 2) / 2;
      const brick = Math.floor(along);
      const [u, v] = [(along - brick) * 118, y - row * 42];
      const inside = smoothstep(
        3,
        7,
        Math.min(u, 118 - u, v, 42 - v) + (valueNoise(x / 7, y / 7, 4) - 0.5) * 5,
      );
      const tone = latticeHash(brick, row, 7) * 0.5 + fractalNoise(x / 26, y / 22, 4, 5) * 0.6;
      out[0] = 104 + 84 * tone;
      out[1] = 44 + 48 * tone;
      out[2] = 34 + 36 * tone;
      out[3] = inside;
    });
    canvas.wash(radial(520, 300, [980, 700], [0, '#fff0d030'], [1, '#100808b0']));
    canvas.within(600, 400, 1.1, 0, () => {
      canvas.fill(rect(-466, -146, 950, 320, 20), '#0a0404', { soften: 14, opacity: 0.75 });
      canvas.fill(rect(-475, -160, 950, 320, 22), linear(0, -160, 0, 160, [0, '#3a4048'], [1, '#14171b']));
      canvas.fill(rect(-463, -148, 926, 296, 14), linear(0, -148, 0, 148, [0, '#ffffff'], [1, '#eceff1']));
      writeText(canvas, 'STATION ROAD', {
        x: 0,
        y: 24,
        size: 80,
        weight: 0.17,
        align: 'center',
        paint: '#14171b',
      });
      writeText(canvas, 'BOROUGH OF ELMWICK', {
        x: 0,
        y: 96,
        size: 30,
        weight: 0.15,
        align: 'center',
        tracking: 0.08,
        paint: '#c01c28',
      });
      for (const [x, y] of [
        [-428, -112],
        [428, -112],
        [-428, 112],
        [428, 112],
      ] as const) {
        canvas.fill(ellipse(x, y, 10), radial(x - 3, y - 4, 13, [0, '#ffffff'], [1, '#7a8490']));
        canvas.stroke(polyline(x - 5, y - 3, x + 5, y + 3), 2.2, '#4a525c');
      }
    });
  },
};
