import type { Canvas } from '../drawing/canvas.js';
import { randomSource } from '../drawing/noise.js';
import { field, linear, mix, radial } from '../drawing/paint.js';
import { ellipse, path, polygon, polyline, rect, ground } from '../drawing/shapes.js';
import { bird, clouds, hill, ridgeLine, type Scene } from './scenery.js';

function balloon(canvas: Canvas, x: number, y: number, scale: number, colors: readonly string[]): void {
  canvas.within(x, y, scale, 0, () => {
    const envelope = path(
      'M -34 208 C -70 130 -190 70 -190 -60 C -190 -190 -96 -250 0 -250 C 96 -250 190 -190 190 -60 C 190 70 70 130 34 208 Z',
    );
    for (const rope of [-32, -12, 12, 32]) canvas.stroke(polyline(rope, 206, rope * 0.9, 272), 2, '#4a3a2c');
    canvas.fill(envelope, colors[0]!);
    canvas.clip(envelope, () => {
      // Gores: vertical strips, narrower towards the sides as on a sphere.
      const strips = 10;
      const edge = (strip: number) => -Math.cos((strip / strips) * Math.PI);
      for (let strip = 0; strip < strips; strip++) {
        const [a, b] = [edge(strip), edge(strip + 1)];
        canvas.fill(
          path(
            `M ${a * 6} -252 C ${a * 130} -236 ${a * 192} -170 ${a * 192} -60 C ${a * 192} 70 ${a * 70} 130 ${a * 34} 210 L ${b * 34} 210 C ${b * 70} 130 ${b * 192} 70 ${b * 192} -60 C ${b * 192} -170 ${b * 130} -236 ${b * 6} -252 Z`,
          ),
          colors[strip % colors.length]!,
        );
      }
      canvas.fill(rect(-200, -96, 400, 44), '#ffffff', { opacity: 0.82 });
      for (let dot = -4; dot <= 4; dot++)
        canvas.fill(ellipse(Math.sin(dot * 0.36) * 188, -74, 14 * Math.cos(dot * 0.36), 14), colors[0]!);
      canvas.wash(
        radial(-70, -130, 360, [0, '#ffffff60'], [0.3, '#ffffff00'], [0.62, '#20103000'], [1, '#20103090']),
      );
    });
    canvas.fill(path('M -34 206 L 34 206 28 218 -28 218 Z'), '#5a3a24');
    canvas.fill(
      path('M -34 270 L 34 270 28 316 Q 0 324 -28 316 Z'),
      field(
        (px, py) => ((Math.floor(px / 7) + Math.floor(py / 7)) % 2 === 0 ? 0.2 : 0.75),
        [0, '#b98a54'],
        [1, '#6f4a26'],
      ),
    );
    canvas.stroke(polyline(-35, 271, 35, 271), 6, '#5a3a1e');
  });
}

/** A striped hot-air balloon over a patchwork of fields. */
export const hotAirBalloon: Scene = {
  width: 1200,
  height: 900,
  draw(canvas) {
    canvas.wash(linear(0, 0, 0, 600, [0, '#4a9ae0'], [0.6, '#a8d4f2'], [1, '#fdeed2']));
    canvas.wash(clouds('#ffffffe8', 360, 0.45, 18));
    canvas.fill(ground(0, 1200, 900, ridgeLine(622, 80, 330, 5)), '#9db4bd');
    const random = randomSource(6);
    const crops = ['#e6c64a', '#86b544', '#5f9a3a', '#c9b264', '#9cc65a', '#d8a04a', '#4c8436'];
    canvas.fill(rect(0, 612, 1200, 288), '#7fae48');
    const levels = [612, 640, 680, 738, 818, 910];
    levels.slice(0, -1).forEach((top, level) => {
      const bottom = levels[level + 1]!;
      const at = (x: number, y: number) => 600 + (x - 600) * (0.5 + ((y - 612) / 290) * 1.7);
      for (let x = -560; x < 1760;) {
        const wide = 120 + random() * 160;
        const [lean, color] = [(random() - 0.5) * 50, crops[Math.floor(random() * crops.length)]!];
        const [tl, tr, br, bl] = [
          at(x, top),
          at(x + wide, top),
          at(x + wide + lean, bottom),
          at(x + lean, bottom),
        ];
        canvas.fill(
          polygon(tl, top, tr, top, br, bottom, bl, bottom),
          linear(tl, top, br, bottom, [0, mix(color, '#ffffff', 0.16)], [1, mix(color, '#1c3008', 0.16)]),
        );
        for (let furrow = 1; furrow < 9; furrow++) {
          const share = furrow / 9;
          canvas.stroke(
            polyline(tl + (tr - tl) * share, top, bl + (br - bl) * share, bottom),
            1 + level * 0.5,
            mix(color, '#2a3a10', 0.3),
            { opacity: 0.35 },
          );
        }
        canvas.stroke(polyline(tl, top, bl, bottom), 2 + level, '#3f6a2a');
        x += wide;
      }
      canvas.stroke(polyline(0, bottom, 1200, bottom), 2 + level, '#3f6a2a');
      for (let tree = 0; tree < 12; tree++) {
        const [x, size] = [random() * 1200, (5 + level * 6) * (0.7 + random() * 0.6)];
        canvas.fill(
          ellipse(x, bottom - size * 0.5, size, size * 0.9),
          linear(x - size, bottom - size, x + size, bottom, [0, '#6aa23e'], [1, '#234c1c']),
        );
      }
    });
    balloon(canvas, 215, 400, 0.34, ['#2a7fc0', '#f6f2e6']);
    balloon(canvas, 990, 470, 0.22, ['#7a3a9a', '#ffd84a']);
    balloon(canvas, 620, 330, 1.12, ['#e2322c', '#ffc928', '#f47c20']);
    bird(canvas, 930, 220, 34, '#40566a');
    bird(canvas, 985, 250, 26, '#40566a');
    hill(canvas, (x) => 884 - 10 * Math.sin(x / 200), '#4c8436', '#2a5a20', 900, 3);
  },
};
