import type { Canvas } from '../drawing/canvas.js';
import { writeText, type TextStyle } from '../drawing/lettering.js';
import { fractalNoise, randomSource } from '../drawing/noise.js';
import { field, linear } from '../drawing/paint.js';
import { ellipse, path, polygon, polyline, rect } from '../drawing/shapes.js';
import type { Scene } from './scenery.js';

const INK = '#1c2230';

/** Writes with defaults that suit a printed page. */
function print(
  canvas: Canvas,
  text: string,
  x: number,
  y: number,
  size: number,
  style: Partial<TextStyle> = {},
): void {
  writeText(canvas, text, { x, y, size, paint: INK, tracking: 0.03, ...style });
}

/** Two decimals, and a comma between thousands. */
function money(cents: number): string {
  const [whole = '', decimals = ''] = (cents / 100).toFixed(2).split('.');
  return `${whole.replace(/(\d)(?=(\d{3})+$)/g, '$1,')}.${decimals}`;
}

/** A scanned invoice on white paper. */
export const invoice: Scene = {
  width: 1000,
  height: 1280,
  draw(canvas) {
    canvas.wash('#ffffff');
    canvas.fill(rect(0, 0, 1000, 18), '#1f4f8f');
    canvas.fill(polygon(70, 128, 104, 62, 138, 128), '#1f4f8f');
    canvas.fill(polygon(104, 128, 128, 84, 152, 128), '#5f9ad8');
    print(canvas, 'Northwind Traders Ltd', 172, 100, 29, { weight: 0.17 });
    print(canvas, '14 Harbour Street, Bristol BS1 4QA', 172, 134, 17, { paint: '#4a5364' });
    print(canvas, 'INVOICE 2026-0042', 70, 240, 44, { weight: 0.18, paint: '#1f4f8f' });
    const facts = [
      ['Invoice date', '12 March 2026'],
      ['Due date', '11 April 2026'],
      ['Order number', 'PO-77815'],
    ] as const;
    facts.forEach(([name, value], line) => {
      print(canvas, name, 560, 320 + line * 40, 19, { paint: '#5a6374' });
      print(canvas, value, 930, 320 + line * 40, 19, { align: 'right' });
    });
    print(canvas, 'Bill to', 70, 320, 19, { paint: '#5a6374' });
    print(canvas, 'Alice Example', 70, 360, 22, { weight: 0.16 });
    print(canvas, '7 Mill Lane', 70, 396, 19);
    print(canvas, 'York YO1 7HH', 70, 430, 19);
    canvas.fill(rect(70, 490, 860, 52), '#1f4f8f');
    const header = { paint: '#ffffff', weight: 0.14 };
    print(canvas, 'Description', 88, 525, 19, header);
    print(canvas, 'Qty', 580, 525, 19, { ...header, align: 'right' });
    print(canvas, 'Price', 740, 525, 19, { ...header, align: 'right' });
    print(canvas, 'Amount', 912, 525, 19, { ...header, align: 'right' });
    const items = [
      ['Office chair, grey', 4, 14950],
      ['Standing desk 160 cm', 2, 38900],
      ['Desk lamp, brass', 6, 4525],
      ['Delivery and assembly', 1, 12000],
    ] as const;
    let subtotal = 0;
    items.forEach(([name, quantity, price], line) => {
      const y = 590 + line * 62;
      if (line % 2 === 1) canvas.fill(rect(70, y - 42, 860, 62), '#eef3f9');
      print(canvas, name, 88, y, 20);
      print(canvas, String(quantity), 580, y, 20, { align: 'right' });
      print(canvas, money(price), 740, y, 20, { align: 'right' });
      print(canvas, money(price * quantity), 912, y, 20, { align: 'right' });
      subtotal += price * quantity;
    });
    canvas.stroke(polyline(70, 816, 930, 816), 2, '#9aa6b8');
    const tax = Math.round(subtotal * 0.2);
    print(canvas, 'Subtotal', 740, 866, 20, { align: 'right', paint: '#5a6374' });
    print(canvas, money(subtotal), 912, 866, 20, { align: 'right' });
    print(canvas, 'VAT 20%', 740, 908, 20, { align: 'right', paint: '#5a6374' });
    print(canvas, money(tax), 912, 908, 20, { align: 'right' });
    canvas.fill(rect(520, 934, 410, 62), '#dfe9f5');
    print(canvas, 'TOTAL GBP', 740, 975, 24, { align: 'right', weight: 0.18 });
    print(canvas, money(subtotal + tax), 912, 975, 24, { align: 'right', weight: 0.18 });
    print(canvas, 'Payment within 30 days by bank transfer.', 70, 1090, 18);
    print(canvas, 'Please quote the invoice number. Thank you!', 70, 1124, 18);
    canvas.stroke(polyline(70, 1190, 930, 1190), 1.5, '#c3cbd8');
    print(canvas, 'Northwind Traders Ltd - Company 08123456 - VAT GB 123 4567 89', 500, 1226, 15, {
      align: 'center',
      paint: '#5a6374',
    });
    canvas.within(250, 930, 1, -12, () => {
      canvas.stroke(rect(-120, -44, 240, 88, 10), 6, '#c8303a', { opacity: 0.8 });
      print(canvas, 'PAID', 0, 22, 44, { align: 'center', weight: 0.2, tracking: 0.1, paint: '#c8303acc' });
    });
  },
};

/** A chalkboard with the prices of a coffee bar. */
export const coffeeMenu: Scene = {
  width: 900,
  height: 1200,
  draw(canvas) {
    canvas.wash(field((x, y) => fractalNoise(x / 9, y / 120, 4, 3), [0, '#8a5a30'], [1, '#c48f58']));
    canvas.fill(rect(46, 46, 808, 1108), '#2a1608', { soften: 5 });
    canvas.fill(
      rect(52, 52, 796, 1096),
      field(
        (x, y) => fractalNoise(x / 140, y / 90, 5, 8) + (fractalNoise(x / 5, y / 5, 2, 4) - 0.5) * 0.2,
        [0, '#1d2a26'],
        [1, '#34453e'],
      ),
    );
    const chalk = { paint: '#f4f1e6', handwriting: 0.012, weight: 0.13 };
    print(canvas, 'COFFEE MENU', 450, 178, 66, { ...chalk, align: 'center', weight: 0.16, paint: '#ffd98a' });
    canvas.stroke(path('M 170 222 Q 310 208 450 222 Q 590 236 730 222'), 4, '#ffd98a', { opacity: 0.8 });
    const drinks = [
      ['Espresso', 240],
      ['Americano', 280],
      ['Cappuccino', 340],
      ['Flat White', 320],
      ['Latte', 360],
      ['Hot Chocolate', 380],
      ['Green Tea', 230],
    ] as const;
    drinks.forEach(([name, price], line) => {
      const y = 328 + line * 82;
      print(canvas, name, 120, y, 40, chalk);
      print(canvas, money(price), 780, y, 40, { ...chalk, handwriting: 0, align: 'right' });
      canvas.stroke(polyline(122, y + 20, 778, y + 20), 1.6, '#f4f1e6', { opacity: 0.25 });
    });
    print(canvas, 'Fresh croissants every morning', 450, 940, 26, {
      ...chalk,
      align: 'center',
      paint: '#9fd8c0',
    });
    canvas.within(450, 1062, 1, 0, () => {
      canvas.stroke(
        path(
          'M -62 -40 L 62 -40 Q 58 40 26 44 L -26 44 Q -58 40 -62 -40 Z M 58 -26 C 104 -34 104 22 48 18 M -84 58 L 84 58',
        ),
        5,
        '#f4f1e6',
      );
      for (const x of [-26, 0, 26])
        canvas.stroke(path(`M ${x} -56 Q ${x + 12} -67 ${x} -78 Q ${x - 12} -89 ${x} -98`), 4, '#f4f1e6');
    });
  },
};

/** A whiteboard with a hand-written announcement. */
export const whiteboard: Scene = {
  width: 1200,
  height: 800,
  draw(canvas) {
    canvas.wash('#b8c2c8');
    canvas.fill(rect(44, 44, 1120, 700, 10), '#4a555c', { soften: 12, opacity: 0.7 });
    canvas.fill(rect(36, 32, 1128, 700, 12), linear(0, 32, 0, 732, [0, '#e8ecef'], [1, '#a4aeb6']));
    canvas.fill(
      rect(54, 50, 1092, 664, 4),
      linear(54, 50, 1146, 714, [0, '#ffffff'], [0.5, '#f7f9fa'], [1, '#e9eef1']),
    );
    canvas.fill(polygon(200, 50, 430, 50, 180, 714, 54, 714, 54, 440), '#ffffff', {
      opacity: 0.6,
      soften: 8,
    });
    const marker = { handwriting: 0.02, weight: 0.13 };
    print(canvas, 'TEAM MEETING', 120, 178, 68, { ...marker, paint: '#1d3f9e', weight: 0.15 });
    print(canvas, 'FRIDAY 10:00', 120, 290, 68, { ...marker, paint: '#c8202c', weight: 0.15 });
    canvas.stroke(path('M 118 318 Q 340 302 660 320'), 6, '#c8202c');
    const points = ['Budget for autumn', 'New search feature', 'Holiday plans', 'Bring your ideas!'];
    points.forEach((point, line) => {
      const y = 408 + line * 78;
      canvas.stroke(rect(126, y - 32, 34, 34, 4), 4, '#1f2a33');
      if (line < 2) canvas.stroke(polyline(130, y - 18, 142, y - 4, 170, y - 44), 6, '#1f8a48');
      print(canvas, point, 190, y, 38, { ...marker, paint: '#1f2a33' });
    });
    canvas.within(930, 430, 1, 0, () => {
      canvas.stroke(ellipse(0, 0, 116), 6, '#1d3f9e');
      for (let hour = 0; hour < 12; hour++)
        canvas.within(0, 0, 1, hour * 30, () => canvas.stroke(polyline(0, -104, 0, -90), 5, '#1d3f9e'));
      // Ten o'clock.
      canvas.stroke(polyline(0, 0, -48, -28), 9, '#1d3f9e');
      canvas.stroke(polyline(0, 0, 0, -82), 6, '#1d3f9e');
    });
    canvas.fill(rect(420, 716, 360, 26, 8), '#8a949c');
    for (const [x, color] of [
      [450, '#1d3f9e'],
      [540, '#c8202c'],
      [630, '#1f8a48'],
    ] as const) {
      canvas.fill(rect(x, 702, 74, 16, 7), color);
      canvas.fill(rect(x + 58, 702, 16, 16, 7), '#22282e');
    }
  },
};

/** A slide with a bar chart of the quarter's revenue. */
export const revenueSlide: Scene = {
  width: 1280,
  height: 720,
  draw(canvas) {
    canvas.wash('#ffffff');
    canvas.fill(rect(0, 0, 1280, 118), '#12325c');
    canvas.fill(rect(0, 118, 1280, 6), '#f2a52b');
    print(canvas, 'REVENUE Q3 2026', 64, 78, 42, { paint: '#ffffff', weight: 0.17 });
    print(canvas, 'Million dollars by month', 66, 182, 22, { paint: '#4a5568' });
    for (let step = 0; step <= 5; step++) {
      const y = 610 - step * 78;
      canvas.fill(rect(130, y, 700, 2), step === 0 ? '#6a7486' : '#dde3ea');
      print(canvas, String(step), 108, y + 9, 20, { align: 'right', paint: '#5a6374' });
    }
    const months = [
      ['July', 2.4, '#6fa8dc'],
      ['August', 3.1, '#3d7fc4'],
      ['September', 4.6, '#f2a52b'],
    ] as const;
    months.forEach(([name, value, color], index) => {
      const [x, top] = [186 + index * 220, 610 - value * 78];
      canvas.fill(rect(x, top, 140, 610 - top), color);
      print(canvas, value.toFixed(1), x + 70, top - 16, 26, { align: 'center', weight: 0.17 });
      print(canvas, name, x + 70, 650, 23, { align: 'center' });
    });
    canvas.fill(rect(880, 200, 340, 410, 16), '#eef3f9');
    print(canvas, 'Growth', 1050, 270, 26, { align: 'center', paint: '#4a5568' });
    print(canvas, '+ 18%', 1050, 356, 56, { align: 'center', weight: 0.18, paint: '#1f8a48' });
    print(canvas, 'New customers', 1050, 446, 26, { align: 'center', paint: '#4a5568' });
    print(canvas, '1,240', 1050, 532, 56, { align: 'center', weight: 0.18, paint: '#12325c' });
    print(canvas, 'Northwind Traders - Quarterly report', 66, 696, 17, { paint: '#6a7486' });
  },
};

/** A poster of few flat colours for an open-air concert. */
export const concertPoster: Scene = {
  width: 800,
  height: 1120,
  draw(canvas) {
    canvas.wash('#f4a63a');
    // Rays from a low sun.
    for (let ray = 0; ray < 18; ray++) {
      const [from, to] = [(ray * 20 * Math.PI) / 180, ((ray * 20 + 10) * Math.PI) / 180];
      canvas.fill(
        polygon(
          400,
          620,
          400 + 1200 * Math.cos(from),
          620 + 1200 * Math.sin(from),
          400 + 1200 * Math.cos(to),
          620 + 1200 * Math.sin(to),
        ),
        '#f7bd62',
      );
    }
    canvas.fill(ellipse(400, 620, 212), '#e2482d');
    canvas.fill(rect(0, 0, 800, 330), '#1d3a4a');
    canvas.fill(rect(0, 800, 800, 320), '#1d3a4a');
    const random = randomSource(4);
    for (let tree = 0; tree < 14; tree++) {
      const [x, size] = [tree * 62 - 4, 40 + random() * 34];
      canvas.fill(ellipse(x, 800, size, size * 1.1), '#1d3a4a');
    }
    // An acoustic guitar, leaning.
    canvas.within(400, 660, 1.15, 24, () => {
      canvas.fill(
        path(
          'M 0 -60 C 62 -74 78 -10 54 18 C 96 44 96 140 0 140 C -96 140 -96 44 -54 18 C -78 -10 -62 -74 0 -60 Z',
        ),
        '#1d3a4a',
      );
      canvas.fill(
        path(
          'M 0 -50 C 52 -62 66 -8 42 20 C 82 46 82 130 0 130 C -82 130 -82 46 -42 20 C -66 -8 -52 -62 0 -50 Z',
        ),
        '#fbe6c0',
      );
      canvas.fill(ellipse(0, 34, 26), '#1d3a4a');
      canvas.fill(rect(-11, -236, 22, 250), '#1d3a4a');
      canvas.fill(rect(-19, -292, 38, 64, 6), '#1d3a4a');
      for (const peg of [-276, -258, -240]) canvas.stroke(polyline(-28, peg, 28, peg), 6, '#1d3a4a');
      for (let fret = 0; fret < 9; fret++) canvas.fill(rect(-11, -220 + fret * 24, 22, 3), '#f7bd62');
      canvas.fill(rect(-30, 88, 60, 11, 4), '#1d3a4a');
      for (const string of [-5, -1.7, 1.7, 5]) canvas.fill(rect(string - 0.7, -230, 1.4, 322), '#e2482d');
    });
    const note = (x: number, y: number, scale: number) =>
      canvas.within(x, y, scale, 0, () => {
        canvas.within(-14, 0, 1, -20, () => canvas.fill(ellipse(0, 0, 16, 12), '#1d3a4a'));
        canvas.within(46, -8, 1, -20, () => canvas.fill(ellipse(0, 0, 16, 12), '#1d3a4a'));
        canvas.fill(polygon(-4, -4, 2, -4, 2, -70, 56, -80, 56, -10, 62, -10, 62, -100, -4, -88), '#1d3a4a');
      });
    note(140, 560, 1.1);
    note(610, 470, 0.9);
    print(canvas, 'SUMMER', 400, 150, 92, { align: 'center', tracking: 0, weight: 0.19, paint: '#fbe6c0' });
    print(canvas, 'CONCERT', 400, 274, 92, { align: 'center', tracking: 0, weight: 0.19, paint: '#fbe6c0' });
    print(canvas, 'Open air music in the City Park', 400, 930, 27, {
      align: 'center',
      weight: 0.14,
      paint: '#fbe6c0',
    });
    print(canvas, 'SATURDAY 22 AUGUST 2026', 400, 1000, 34, {
      align: 'center',
      weight: 0.17,
      paint: '#fbe6c0',
    });
    print(canvas, 'Doors 18:30 - Free entry', 400, 1062, 27, {
      align: 'center',
      weight: 0.14,
      paint: '#fbe6c0',
    });
  },
};
