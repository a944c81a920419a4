import type { Canvas } from '../drawing/canvas.js';
import { writeText } from '../drawing/lettering.js';
import { latticeHash } from '../drawing/noise.js';
import { linear, radial } from '../drawing/paint.js';
import { ellipse, path, polygon, polyline, rect } from '../drawing/shapes.js';
import { coffeeCup } from '../scenes/still-life.js';
import type { Film } from './film.js';

/** A kitchen wall with tiles, a table, and the step's name on a band. */
function kitchen(canvas: Canvas, caption: string, wall: string): void {
  canvas.wash(wall);
  for (let row = 0; row < 7; row++) {
    for (let column = -1; column < 10; column++) {
      const x = column * 76 + (row % 2) * 38;
      canvas.fill(
        rect(x + 1.5, row * 40 + 1.5, 73, 37, 3),
        linear(x, row * 40, x + 73, row * 40 + 40, [0, '#ffffff50'], [1, '#ffffff12']),
      );
    }
  }
  canvas.fill(rect(0, 278, 640, 82), linear(0, 278, 0, 360, [0, '#b07a48'], [1, '#7a4c28']));
  canvas.fill(rect(0, 278, 640, 5), '#d8a874');
  canvas.fill(rect(0, 0, 640, 58), '#2c1a10');
  writeText(canvas, caption, { x: 320, y: 41, size: 25, weight: 0.17, align: 'center', paint: '#fff2dc' });
}

function bean(canvas: Canvas, x: number, y: number, turn: number, size: number): void {
  canvas.within(x, y, size / 30, turn, () => {
    canvas.fill(ellipse(0, 0, 30, 20), radial(-8, -8, 40, [0, '#9a6034'], [0.6, '#5a3016'], [1, '#2c1408']));
    canvas.stroke(path('M -27 0 Q -9 -8 0 0 Q 9 8 27 0'), 4, '#1e0c04');
  });
}

/** Steam that rises and thins out, and stays below `ceiling`. */
function steam(canvas: Canvas, x: number, y: number, seconds: number, puffs: number, ceiling = 58): void {
  canvas.clip(rect(x - 60, ceiling, 120, 360), () => rise(canvas, x, y, seconds, puffs));
}

function rise(canvas: Canvas, x: number, y: number, seconds: number, puffs: number): void {
  for (let puff = 0; puff < puffs; puff++) {
    const age = (seconds * 0.45 + puff / puffs) % 1;
    const drift = Math.sin(age * 6 + puff * 1.7) * 11;
    canvas.fill(ellipse(x + drift, y - age * 92, 7 + age * 15, 9 + age * 17), '#ffffff', {
      soften: 5,
      opacity: 0.5 * (1 - age) * Math.min(1, age * 6),
    });
  }
}

function cupScene(canvas: Canvas): void {
  canvas.within(0, -44, 640 / 1200, 0, () => coffeeCup.draw(canvas));
}

/** How coffee is made, in a title and four steps. */
export const makingCoffee: Film = {
  title: 'How to make coffee',
  createdAt: '2026-07-04T08:10:00Z',
  soundSource: 'sine=frequency=196:sample_rate=44100,tremolo=f=0.5:d=0.8,volume=0.12',
  cues: [
    { startSeconds: 0.2, endSeconds: 2.8, text: 'This is how to make a good cup of coffee.' },
    { startSeconds: 3.2, endSeconds: 5.8, text: 'Grind eighteen grams of fresh beans.' },
    { startSeconds: 6.2, endSeconds: 8.8, text: 'Heat the kettle to ninety-four degrees.' },
    { startSeconds: 9.2, endSeconds: 11.8, text: 'Pour the hot water slowly over the filter.' },
    { startSeconds: 12.2, endSeconds: 14.8, text: 'Let it cool for a minute, then enjoy it.' },
  ],
  scenes: [
    {
      durationSeconds: 3,
      background(canvas) {
        cupScene(canvas);
        canvas.fill(rect(0, 262, 640, 98), '#1c0e06', { opacity: 0.82 });
        writeText(canvas, 'HOW TO MAKE COFFEE', {
          x: 320,
          y: 326,
          size: 36,
          weight: 0.17,
          align: 'center',
          paint: '#ffe2b0',
        });
      },
      action(canvas, seconds) {
        steam(canvas, 320, 130, seconds, 7, 0);
      },
    },
    {
      durationSeconds: 3,
      background(canvas) {
        kitchen(canvas, '1. GRIND THE BEANS', '#9cc8b6');
        canvas.fill(ellipse(322, 322, 120, 13), '#2c1608', { soften: 6, opacity: 0.6 });
        canvas.fill(
          polygon(236, 210, 404, 210, 414, 318, 226, 318),
          linear(226, 0, 414, 0, [0, '#a8703c'], [0.4, '#8a5428'], [1, '#4e2c12']),
        );
        canvas.fill(rect(222, 312, 196, 14, 4), '#4a2a12');
        canvas.fill(rect(262, 246, 116, 50, 4), '#6a3e1c');
        canvas.stroke(rect(262, 246, 116, 50, 4), 2.5, '#3a200c');
        canvas.fill(ellipse(320, 271, 8), '#e0b860');
        canvas.fill(
          path('M 244 210 Q 250 150 320 146 Q 390 150 396 210 Z'),
          linear(244, 0, 396, 0, [0, '#f2f4f4'], [0.4, '#b4bcc0'], [1, '#5c666c']),
        );
        canvas.fill(rect(238, 204, 164, 10, 4), '#7a848a');
        for (let index = 0; index < 34; index++) {
          const [share, turn] = [latticeHash(index, 5), latticeHash(index, 6) * 180];
          bean(
            canvas,
            470 + share * 120,
            330 - latticeHash(index, 7) * 28 * (1 - Math.abs(share - 0.5) * 1.4),
            turn,
            11,
          );
        }
      },
      action(canvas, seconds) {
        // The crank turns once a second in a flat circle.
        const angle = seconds * Math.PI * 2;
        const [x, y] = [320 + Math.cos(angle) * 92, 122 + Math.sin(angle) * 20];
        canvas.stroke(polyline(320, 148, 320, 124), 10, '#6a747a');
        canvas.stroke(polyline(320, 124, x, y), 9, '#8d979d');
        canvas.fill(ellipse(320, 123, 9, 7), '#c4ccd0');
        canvas.stroke(polyline(x, y, x, y - 22), 8, '#5a646a');
        canvas.fill(ellipse(x, y - 30, 13, 14), radial(x - 4, y - 35, 20, [0, '#c88a50'], [1, '#5a3014']));
        for (let index = 0; index < 5; index++) {
          const fall = (seconds * 0.9 + index / 5) % 1;
          bean(canvas, 118 + index * 22 + fall * 12, 92 + fall * 214, fall * 400 + index * 50, 13);
        }
      },
    },
    {
      durationSeconds: 3,
      background(canvas) {
        kitchen(canvas, '2. HEAT THE WATER', '#27415c');
        canvas.fill(rect(190, 296, 260, 30, 6), linear(0, 296, 0, 326, [0, '#3a3e44'], [1, '#16181c']));
        canvas.fill(rect(226, 288, 188, 10, 4), '#22262a');
        canvas.stroke(path('M 386 196 C 436 186 456 156 470 122'), 17, '#a4303a');
        canvas.stroke(path('M 254 164 C 236 78 404 78 386 164'), 11, '#22262c');
        canvas.fill(
          path(
            'M 236 264 C 236 190 262 150 320 150 C 378 150 404 190 404 264 Q 404 276 388 276 L 252 276 Q 236 276 236 264 Z',
          ),
          linear(236, 0, 404, 0, [0, '#f06a62'], [0.3, '#d83a40'], [0.7, '#a8202e'], [1, '#681020']),
        );
        canvas.fill(ellipse(320, 152, 44, 9), '#7a1624');
        canvas.fill(ellipse(320, 143, 9, 8), '#22262c');
        canvas.fill(ellipse(276, 205, 11, 34), '#ffffff', { soften: 6, opacity: 0.55 });
        canvas.fill(rect(494, 150, 112, 62, 10), '#f7f4ea');
        canvas.stroke(rect(494, 150, 112, 62, 10), 3, '#2c3a48');
      },
      action(canvas, seconds) {
        const degrees = Math.min(94, Math.round(58 + seconds * 15));
        writeText(canvas, `${degrees} C`, {
          x: 550,
          y: 194,
          size: 27,
          weight: 0.17,
          align: 'center',
          paint: degrees === 94 ? '#c02a2a' : '#2c3a48',
        });
        for (let flame = 0; flame < 9; flame++) {
          const [x, height] = [242 + flame * 19.5, 13 + Math.sin(seconds * 17 + flame * 2.1) * 4];
          canvas.fill(
            path(
              `M ${x - 6} 290 Q ${x - 5} ${290 - height * 0.6} ${x} ${290 - height} Q ${x + 5} ${290 - height * 0.6} ${x + 6} 290 Z`,
            ),
            linear(0, 272, 0, 290, [0, '#8fd0ff'], [1, '#2a6af0']),
          );
        }
        steam(canvas, 478, 118, seconds, 4 + Math.floor(seconds * 2));
      },
    },
    {
      durationSeconds: 3,
      background(canvas) {
        kitchen(canvas, '3. POUR SLOWLY', '#dcb486');
        canvas.fill(ellipse(320, 334, 110, 10), '#2c1608', { soften: 5, opacity: 0.6 });
        canvas.fill(
          path(
            'M 270 206 L 370 206 Q 408 270 400 318 Q 398 330 384 330 L 256 330 Q 242 330 240 318 Q 232 270 270 206 Z',
          ),
          '#eef6fa',
          { opacity: 0.55 },
        );
        canvas.fill(
          path('M 228 112 L 412 112 350 198 290 198 Z'),
          linear(228, 0, 412, 0, [0, '#ffffff'], [0.5, '#efe6d8'], [1, '#b8a890']),
        );
        canvas.fill(rect(262, 196, 116, 11, 5), '#d8cbb8');
        canvas.fill(ellipse(320, 112, 92, 14), '#d8c4a4');
        canvas.fill(ellipse(320, 114, 82, 11), '#4a2814');
        canvas.stroke(path('M 640 66 C 560 70 520 78 472 100 Q 420 84 384 74'), 13, '#4a5258');
        canvas.fill(
          path('M 470 84 L 640 60 640 160 470 148 Z'),
          linear(0, 70, 0, 160, [0, '#9aa4aa'], [1, '#4a5258']),
        );
      },
      action(canvas, seconds) {
        const level = 322 - seconds * 26;
        canvas.clip(
          path(
            'M 274 210 L 366 210 Q 402 270 394 316 Q 392 325 382 325 L 258 325 Q 248 325 246 316 Q 238 270 274 210 Z',
          ),
          () => {
            canvas.fill(rect(230, level, 180, 110), linear(0, level, 0, 330, [0, '#7a4420'], [1, '#38180a']));
            canvas.fill(ellipse(320, level, 84, 5), '#a86a38');
          },
        );
        const tremble = Math.sin(seconds * 21) * 1.2;
        canvas.stroke(path(`M 384 74 Q 344 72 ${330 + tremble} 112`), 5.5, '#cfe8f6');
        canvas.stroke(polyline(320, 206, 320 + tremble * 0.6, level), 4, '#5a3014');
        canvas.stroke(
          path(
            'M 270 206 L 370 206 Q 408 270 400 318 Q 398 330 384 330 L 256 330 Q 242 330 240 318 Q 232 270 270 206 Z',
          ),
          3,
          '#ffffff',
          { opacity: 0.8 },
        );
        canvas.stroke(path('M 262 250 Q 252 286 258 312'), 5, '#ffffff', { opacity: 0.65 });
        steam(canvas, 310, 104, seconds, 4);
      },
    },
    {
      durationSeconds: 3,
      background(canvas) {
        cupScene(canvas);
        canvas.fill(rect(0, 0, 640, 58), '#2c1a10', { opacity: 0.9 });
        writeText(canvas, '4. ENJOY YOUR COFFEE!', {
          x: 320,
          y: 41,
          size: 25,
          weight: 0.17,
          align: 'center',
          paint: '#fff2dc',
        });
      },
      action(canvas, seconds) {
        steam(canvas, 300, 132, seconds, 6);
        steam(canvas, 352, 132, seconds + 0.6, 6);
      },
    },
  ],
};
