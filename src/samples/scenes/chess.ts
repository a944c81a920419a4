import type { Canvas } from '../drawing/canvas.js';
import { fade, linear } from '../drawing/paint.js';
import { ellipse, path, polygon } from '../drawing/shapes.js';
import type { Scene } from './scenery.js';

/** Half a turned chess piece, right side, from the foot (0, 0) upwards; the other half is its mirror. */
const PIECE_PROFILES = {
  pawn: 'M 0 0 L 30 0 30 -8 Q 20 -14 18 -22 Q 10 -34 9 -52 L 16 -56 9 -60 Q 18 -66 18 -76 Q 16 -92 0 -92',
  rook: 'M 0 0 L 34 0 34 -9 Q 23 -15 21 -26 L 17 -74 25 -80 25 -104 16 -104 16 -97 6 -97 6 -104 0 -104',
  bishop:
    'M 0 0 L 34 0 34 -9 Q 22 -15 20 -26 Q 12 -46 10 -72 L 19 -77 10 -81 Q 22 -92 17 -104 Q 10 -118 4 -124 Q 7 -128 4 -132 Q 2 -134 0 -134',
  queen:
    'M 0 0 L 38 0 38 -10 Q 25 -16 23 -28 Q 13 -56 11 -92 L 22 -98 12 -103 L 26 -136 16 -128 12 -141 6 -131 0 -144',
  king: 'M 0 0 L 38 0 38 -10 Q 25 -16 23 -28 Q 13 -58 12 -100 L 23 -106 13 -111 L 21 -138 Q 10 -146 3 -146 L 3 -152 11 -152 11 -159 3 -159 3 -168 0 -168',
} as const;

const KNIGHT =
  'M -34 0 L -34 -9 Q -24 -14 -22 -26 Q -26 -50 -4 -66 Q -22 -62 -34 -54 Q -44 -58 -42 -70 Q -30 -96 -16 -108 ' +
  'L -12 -122 -2 -112 Q 26 -106 28 -66 Q 28 -44 21 -26 Q 24 -14 34 -9 L 34 0 Z';

function chessPiece(
  canvas: Canvas,
  kind: keyof typeof PIECE_PROFILES | 'knight',
  x: number,
  y: number,
  scale: number,
  white: boolean,
): void {
  const [lit, middle, dark] = white ? ['#fffaf0', '#ecdcc0', '#9a8058'] : ['#7a6a60', '#33291f', '#100b08'];
  canvas.within(x, y, scale, 0, () => {
    canvas.fill(ellipse(14, 0, 46, 11), '#000000', { soften: 6, opacity: 0.5 });
    canvas.fill(ellipse(0, 0, kind === 'pawn' ? 30 : 36, 8), dark);
    let outline = path(KNIGHT);
    if (kind !== 'knight') {
      const half = path(PIECE_PROFILES[kind])[0]!.points;
      const mirrored: number[] = [];
      for (let index = half.length - 2; index >= 0; index -= 2)
        mirrored.push(-half[index]!, half[index + 1]!);
      outline = polygon(...half, ...mirrored);
    }
    canvas.fill(outline, linear(-32, 0, 34, 0, [0, middle], [0.3, lit], [0.55, middle], [1, dark]));
    canvas.stroke(outline, 1.4, fade(dark, 0.7));
    if (kind === 'knight') canvas.fill(ellipse(-16, -92, 3.4), white ? '#5a4426' : '#e8dcc8');
  });
}

/** A chess game seen from the white side. */
export const chessboard: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 800, [0, '#23352f'], [0.35, '#2f4a40'], [1, '#16211d']));
    // The board's plane as a pinhole camera sees it; file and rank run from 0 to 8.
    const project = (file: number, rank: number): [number, number] => {
      const distance = 9.2 + rank;
      return [600 + ((file - 4) * 1160) / distance, -300 + 9500 / distance];
    };
    const square = (file: number, rank: number, wide: number, deep: number) =>
      polygon(
        ...project(file, rank),
        ...project(file + wide, rank),
        ...project(file + wide, rank + deep),
        ...project(file, rank + deep),
      );
    const scaleAt = (rank: number) => 14.4 / (9.2 + rank);
    canvas.fill(square(-0.5, -0.5, 9, 9), '#000000', { soften: 24, opacity: 0.7 });
    canvas.fill(square(-0.45, -0.45, 8.9, 8.9), '#4a2814');
    canvas.fill(square(-0.1, -0.1, 8.2, 8.2), '#7c4a26');
    for (let file = 0; file < 8; file++) {
      for (let rank = 0; rank < 8; rank++)
        canvas.fill(square(file, rank, 1, 1), (file + rank) % 2 === 0 ? '#8a5630' : '#f0dcb4');
    }
    const back = ['rook', 'knight', 'bishop', 'queen', 'king', 'bishop', 'knight', 'rook'] as const;
    // Far pieces first. After 1. e4 e5 2. Nf3 Nc6: some men have left their first squares.
    const men: [keyof typeof PIECE_PROFILES | 'knight', number, number, boolean][] = [];
    for (let file = 0; file < 8; file++) {
      men.push(
        [back[file]!, file === 1 ? 2 : file, file === 1 ? 5 : 7, false],
        ['pawn', file, file === 4 ? 4 : 6, false],
      );
      men.push(
        [back[file]!, file === 6 ? 5 : file, file === 6 ? 2 : 0, true],
        ['pawn', file, file === 4 ? 3 : 1, true],
      );
    }
    for (const [kind, file, rank, white] of men.sort((a, b) => b[2] - a[2])) {
      const [x, y] = project(file + 0.5, rank + 0.42);
      chessPiece(canvas, kind, x, y, scaleAt(rank) * 0.92, white);
    }
  },
};
