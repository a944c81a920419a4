import { dominantColors, nameColor, rgbToOklab } from './colors.js';

const channels = (hex: string): [number, number, number] => [
  Number.parseInt(hex.slice(1, 3), 16),
  Number.parseInt(hex.slice(3, 5), 16),
  Number.parseInt(hex.slice(5, 7), 16),
];

describe('rgbToOklab', () => {
  it.each([
    // From the author's own page, rounded to three decimals.
    ['#ffffff', [1, 0, 0]],
    ['#000000', [0, 0, 0]],
    ['#ff0000', [0.628, 0.225, 0.126]],
    ['#00ff00', [0.866, -0.234, 0.179]],
    ['#0000ff', [0.452, -0.032, -0.312]],
  ])('%s', (hex, lab) => {
    rgbToOklab(...channels(hex)).forEach((value, index) => expect(value).toBeCloseTo(lab[index]!, 2));
  });
});

describe('nameColor', () => {
  // CSS colours and what people call them.
  it.each([
    ['#ff0000', 'red'], ['#800000', 'dark red'], ['#ffa500', 'orange'], ['#ffff00', 'yellow'], ['#008000', 'green'],
    ['#228b22', 'green'], ['#808000', 'olive green'], ['#008080', 'turquoise'], ['#0000ff', 'blue'], ['#4682b4', 'blue'],
    ['#87ceeb', 'light blue'], ['#000080', 'dark blue'], ['#800080', 'purple'], ['#ff00ff', 'magenta'],
    ['#ffc0cb', 'pink'], ['#8b4513', 'brown'], ['#d2b48c', 'beige'], ['#808080', 'gray'], ['#d3d3d3', 'light gray'],
    ['#404040', 'dark gray'], ['#000000', 'black'], ['#fffafa', 'white'],
  ])('%s is %s', (hex, name) => {
    expect(nameColor(...channels(hex))).toBe(name);
  }); // prettier-ignore
});

describe('dominantColors', () => {
  it('gives names, mean values and shares, largest first', () => {
    const pixels = new Uint8Array([
      ...Array.from({ length: 60 }, () => channels('#0000ff')).flat(),
      ...Array.from({ length: 37 }, () => channels('#ffffff')).flat(),
      ...Array.from({ length: 3 }, () => channels('#ff0000')).flat(),
    ]);
    expect(dominantColors(pixels)).toEqual([
      { name: 'blue', hex: '#0000ff', share: 0.6 },
      { name: 'white', hex: '#ffffff', share: 0.37 },
    ]);
  });

  it('has nothing to say about no pixels', () => {
    expect(dominantColors(new Uint8Array())).toEqual([]);
  });
});
