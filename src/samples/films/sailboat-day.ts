import type { Canvas } from '../drawing/canvas.js';
import { latticeHash } from '../drawing/noise.js';
import { linear, mix, radial, smoothstep } from '../drawing/paint.js';
import { ellipse, ground, path, polygon, rect } from '../drawing/shapes.js';
import {
  bird,
  clouds,
  glowingDisc,
  ridgeLine,
  sailboat,
  stars,
  water,
  WHITE_SAILS,
  type SailboatColors,
} from '../scenes/scenery.js';
import type { Film } from './film.js';

const HORIZON = 196;

function skyAndSea(
  canvas: Canvas,
  sky: [string, string, string],
  cloud: string,
  sea: [string, string],
  seed: number,
): void {
  canvas.wash(linear(0, 0, 0, HORIZON, [0, sky[0]], [0.6, sky[1]], [1, sky[2]]));
  canvas.wash(clouds(cloud, 190, 0.46, seed));
  canvas.fill(rect(0, HORIZON, 640, 164), water(HORIZON, 360, sea[0], sea[1], seed));
}

/** Glints that drift over the water, nearer ones faster. */
function movingWater(canvas: Canvas, seconds: number, color: string, count: number): void {
  for (let glint = 0; glint < count; glint++) {
    const depth = latticeHash(glint, 1) ** 1.6;
    const travelled = latticeHash(glint, 2) * 700 - seconds * (8 + depth * 46);
    const x = (((travelled % 700) + 700) % 700) - 30;
    const y = HORIZON + 5 + depth * 158 + Math.sin(seconds * 2 + glint) * 1.4;
    canvas.fill(ellipse(x, y, 5 + depth * 20, 0.6 + depth * 1.7), color, {
      opacity: 0.35 + 0.4 * latticeHash(glint, 3),
    });
  }
}

/** The boat, rolling on the swell, with its wake. */
function sailingBoat(
  canvas: Canvas,
  seconds: number,
  x: number,
  y: number,
  scale: number,
  colors: SailboatColors,
): void {
  const swell = Math.sin(seconds * 2.1);
  canvas.fill(ellipse(x - 30 * scale, y + 15 * scale, 150 * scale, 8 * scale), '#ffffff', {
    soften: 3,
    opacity: 0.35,
  });
  sailboat(canvas, x, y + swell * 3 * scale, scale, 4 + swell * 2.4, colors);
}

function lighthouse(canvas: Canvas, x: number, y: number, night: boolean): void {
  const rocks = ridgeLine(0, 30, 60, 4);
  const shore = (at: number) => HORIZON + 10 + (rocks(at) - 8) * smoothstep(125, 60, Math.abs(at - x - 30));
  canvas.fill(ground(x - 95, x + 155, HORIZON + 12, shore), night ? '#0a0f20' : '#5d5a58');
  const [white, red] = night ? ['#7d86a8', '#6a2c44'] : ['#faf7f0', '#d23a32'];
  for (let band = 0; band < 5; band++) {
    const [low, high] = [11 - band * 1.1, 11 - (band + 1) * 1.1];
    const [bottom, top] = [y - band * 17, y - (band + 1) * 17];
    canvas.fill(
      polygon(x - low, bottom, x + low, bottom, x + high, top, x - high, top),
      band % 2 ? white : red,
    );
  }
  canvas.fill(rect(x - 9, y - 89, 18, 5), '#2a2c34');
  canvas.fill(rect(x - 5, y - 101, 10, 12), night ? '#fff4b0' : '#cfe4ee');
  canvas.fill(polygon(x - 8, y - 101, x + 8, y - 101, x, y - 111), red);
}

function dolphin(canvas: Canvas, seconds: number, x: number, delay: number): void {
  const phase = ((seconds + delay) % 2) / 2;
  const [px, py] = [x + phase * 96, 304 - Math.sin(phase * Math.PI) * 62];
  canvas.clip(rect(0, 0, 640, 296), () => {
    canvas.within(px, py, 0.62, -52 + phase * 104, () => {
      canvas.fill(
        path(
          'M -58 4 C -30 -24 20 -26 46 -6 Q 62 -4 68 4 Q 56 8 46 6 C 20 18 -24 16 -52 8 L -72 20 Q -70 6 -76 -8 Z',
        ),
        linear(0, -22, 0, 16, [0, '#4a6a86'], [0.55, '#6f90a8'], [1, '#e4edf2']),
      );
      canvas.fill(path('M -8 -18 Q -14 -36 -26 -40 Q -24 -26 -26 -14 Z'), '#44627c');
      canvas.fill(path('M 12 8 Q 6 24 -4 28 Q -2 16 0 8 Z'), '#44627c');
      canvas.fill(ellipse(42, -4, 2), '#101820');
    });
  });
  canvas.fill(ellipse(phase < 0.5 ? x + 4 : x + 92, 297, 18, 3.4), '#ffffff', {
    soften: 2,
    opacity: 0.75 * Math.abs(phase - 0.5) * 2,
  });
}

/** A day at sea in four scenes: dawn, noon, sunset, night. */
export const sailboatDay: Film = {
  title: 'A day on the sailboat',
  createdAt: '2026-06-20T04:45:00Z',
  soundSource: 'anoisesrc=color=brown:amplitude=0.35:seed=7:sample_rate=44100,tremolo=f=0.25:d=0.7',
  cues: [
    { startSeconds: 0.2, endSeconds: 3.8, text: 'The sailboat leaves the harbour at dawn.' },
    { startSeconds: 4.2, endSeconds: 7.8, text: 'At noon two dolphins swim beside the boat.' },
    { startSeconds: 8.2, endSeconds: 11.8, text: 'A red sunset glows above the quiet sea.' },
    { startSeconds: 12.2, endSeconds: 15.8, text: 'At night the lighthouse guides the sailors home.' },
  ],
  scenes: [
    {
      durationSeconds: 4,
      background(canvas) {
        skyAndSea(canvas, ['#3c4a80', '#b87890', '#f4be86'], '#e8b8b8a0', ['#b0848c', '#263c62'], 3);
        glowingDisc(canvas, 470, 186, 20, '#fff6d8', '#ffc890');
        lighthouse(canvas, 96, 184, false);
        // Houses and the jetty of the harbour.
        for (const [x, width, height, wall] of [
          [150, 30, 26, '#d9a78c'],
          [184, 24, 34, '#b9c4cc'],
          [212, 34, 24, '#e2cfa8'],
        ] as const) {
          canvas.fill(rect(x, 196 - height, width, height), wall);
          canvas.fill(
            polygon(x - 4, 196 - height, x + width / 2, 182 - height, x + width + 4, 196 - height),
            '#8a4a3c',
          );
          canvas.fill(rect(x + 6, 202 - height, 6, 8), '#4a5a70');
          canvas.fill(rect(x + width - 12, 202 - height, 6, 8), '#4a5a70');
        }
        canvas.fill(rect(0, 194, 268, 7), '#6a5444');
        for (let post = 0; post < 9; post++) canvas.fill(rect(8 + post * 31, 198, 5, 22), '#54402f');
      },
      action(canvas, seconds) {
        movingWater(canvas, seconds, '#ffeed8', 70);
        sailingBoat(canvas, seconds, 250 + seconds * 42, 268, 0.62, WHITE_SAILS);
        bird(canvas, 380 + seconds * 26, 92 - seconds * 3, 22 + Math.sin(seconds * 9) * 3, '#5a5070');
        bird(canvas, 330 + seconds * 24, 112 - seconds * 4, 16 + Math.cos(seconds * 9) * 3, '#5a5070');
      },
    },
    {
      durationSeconds: 4,
      background(canvas) {
        skyAndSea(canvas, ['#1f78d0', '#7cc0f0', '#dff2fc'], '#ffffffe8', ['#58b4e0', '#0a4a90'], 9);
        glowingDisc(canvas, 540, 48, 22, '#fffdf0', '#fff2b0');
      },
      action(canvas, seconds) {
        movingWater(canvas, seconds, '#ffffff', 90);
        sailingBoat(canvas, seconds, 210 + seconds * 24, 272, 0.86, WHITE_SAILS);
        dolphin(canvas, seconds, 376 + seconds * 20, 0);
        dolphin(canvas, seconds, 470 + seconds * 20, 0.7);
      },
    },
    {
      durationSeconds: 4,
      background(canvas) {
        skyAndSea(canvas, ['#3a2456', '#c0384a', '#ffa040'], '#6a2038c0', ['#e87848', '#3a1a40'], 14);
        canvas.clip(rect(0, 0, 640, HORIZON), () => glowingDisc(canvas, 430, 182, 40, '#ffe69a', '#ff7a2c'));
        canvas.fill(
          ground(0, 190, HORIZON + 1, (x) => HORIZON - 24 * Math.sin((x / 190) * Math.PI) ** 0.6),
          '#4a1c3c',
        );
      },
      action(canvas, seconds) {
        movingWater(canvas, seconds, '#ff9a5a', 60);
        for (let glint = 0; glint < 34; glint++) {
          const depth = glint / 34;
          const sway = Math.sin(seconds * 3 + glint * 2.3) * (8 + depth * 20);
          canvas.fill(
            ellipse(430 + sway, HORIZON + 4 + depth * 150, 12 + depth * 30, 0.8 + depth * 1.6),
            mix('#fff0b0', '#ff8a3a', depth),
            { opacity: 0.7 },
          );
        }
        sailingBoat(canvas, seconds, 170 + seconds * 30, 266, 0.7, {
          sail: '#4a2238',
          shade: '#35172c',
          hull: '#2a1226',
          stripe: '#5a2230',
        });
      },
    },
    {
      durationSeconds: 4,
      background(canvas) {
        skyAndSea(canvas, ['#03061a', '#0c1840', '#24366c'], '#1a2a5890', ['#1c2f64', '#050a20'], 21);
        stars(canvas, 640, 180, 170, 8);
        glowingDisc(canvas, 150, 62, 22, '#f6f2dc', '#8aa0e0');
        lighthouse(canvas, 520, 184, true);
      },
      action(canvas, seconds) {
        // The beam sweeps over the water.
        const turn = Math.sin(seconds * 1.3) * 26 + 174;
        canvas.within(520, 89, 1, turn, () => {
          canvas.fill(
            polygon(0, -2, 620, -64, 620, 64, 0, 2),
            linear(0, 0, 560, 0, [0, '#fff2b0b0'], [1, '#fff2b000']),
            { blend: 'screen' },
          );
        });
        canvas.fill(ellipse(520, 89, 46), radial(520, 89, 46, [0, '#fff6c8d0'], [1, '#fff6c800']), {
          blend: 'screen',
        });
        movingWater(canvas, seconds, '#8fa8e8', 60);
        sailingBoat(canvas, seconds, 120 + seconds * 44, 274, 0.62, {
          sail: '#a8b2d4',
          shade: '#6a7498',
          hull: '#4a5478',
          stripe: '#5a3a58',
        });
      },
    },
  ],
};
