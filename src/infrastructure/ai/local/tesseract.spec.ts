import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath } from '../../media-tools/ffmpeg-locator.js';
import { TesseractOcr, linesFromTsv } from './tesseract.js';

/** 260 x 90 pixels, black on white: "Harbour Bar", and below it "Open daily". */
const SIGN = Buffer.from(
  `iVBORw0KGgoAAAANSUhEUgAAAQQAAABaAQMAAABkNbp6AAAABlBMVEX///8AAABVwtN+AAAACXBIWXMAAAsTAAALEwEAmpwYAAABvklEQVRIx+3VvU7D
MBAH8Iss+ZbKXjtYySswdojKq/AIGRkQNcrAgvpMkTow8gIMlhjYwBIDkYhqzuGjqe0SCRgQym1RflJ8d8k/AFNN9StlDt/KGrUnVu2o6MZElY8KkRCZ
gfmdZg1dKS8szAIhW372aKRViGcksGPLUHTYOVu0JDovtmwbnkOgtouFIqGhUoD9A3fCdcAR3kU/D8Z0KOiOUZX4FLUOe3F8J06X4OqwWxyKSrBYSBwK
xDoSal8IFon5vph9RyjJ3+YhvZAzjEXBoT0tS1H03QoZ90Ld+r1I5yfW4Us8j3sOfrf47IVlT/X03U7110ruwoIizH8yYR3bMTGI2APClkMBsciMGBON
gBJyoJBj68wmBNPIHaz0jQH5QLmJKmsigY8XrnEGiq3cIoWDjkV90RhbwSKnZKUISohso43pBSJyBikBJ80RHAkvoon4k2bXUJGg34I7IODa2V4gCSa+
EvKSxDopAHpBaYjZVeocm6G4jafuu4W+l7Qw+YdY5JSoCG28fT9TP49ymRcpsWppc86QoL1Qt1CFojD8HFYNCfmATykBwPcvx4X5uQhfsVjIcfF/4+UV
nozGYJhsLsoAAAAASUVORK5CYII=`,
  'base64',
);

let folder: string;
let picture: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocr-'));
  picture = join(folder, 'sign.png');
  await writeFile(picture, SIGN);
});
afterAll(() => rm(folder, { recursive: true }));

/** A stand-in for the program: knows `eng`, `deu` and `osd`, notes its arguments, then does what the script says. */
async function fakeTesseract(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(
    path,
    `#!/bin/sh
if [ "$1" = "--list-langs" ]; then printf 'List of available languages (3):\\ndeu\\neng\\nosd\\n'; exit 0; fi
echo "$@ threads=$OMP_THREAD_LIMIT" >> "${path}.arguments"
${script}
`,
  );
  await chmod(path, 0o755);
  return path;
}

const HEADER =
  'level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext';
const row = (left: number, top: number, confidence: number, text: string, height = 20): string =>
  ['5', '1', '1', '1', '1', '1', left, top, text.length * 12, height, confidence, text].join('\t');
const tsv = (...rows: string[]): string => [HEADER, ...rows].join('\n');

describe('linesFromTsv', () => {
  it('puts words into lines from top to bottom, left to right', () => {
    expect(
      linesFromTsv(
        tsv(
          row(10, 100, 95, 'second'),
          row(130, 12, 91, 'Bar'),
          row(100, 101, 92, 'line'),
          row(10, 10, 95, 'Harbour'),
        ),
      ),
    ).toEqual(['Harbour Bar', 'second line']);
  });

  it('keeps columns and sizes apart', () => {
    expect(linesFromTsv(tsv(row(10, 10, 95, 'left'), row(600, 10, 95, 'right')))).toEqual(['left', 'right']);
    expect(linesFromTsv(tsv(row(10, 0, 95, 'HUGE', 100), row(70, 40, 95, 'tiny', 12)))).toHaveLength(2);
  });

  it.each([
    ['unsure words', [row(0, 0, 40, 'perhaps')]],
    [
      'short words that texture brings about',
      [row(0, 0, 85, 'ae'), row(90, 60, 80, 'Wy'), row(0, 90, 84, 'the')],
    ],
    ['signs', [row(0, 0, 99, '~~—|>'), row(0, 50, 95, 'a|||||')]],
    ['blocks that are no words', [row(0, 0, 95, 'text').replace(/^5/, '4')]],
    ['broken rows', ['5\t1', 'nonsense', '']],
  ])('drops %s', (_what, rows) => {
    expect(linesFromTsv(tsv(...rows))).toEqual([]);
  });

  it('keeps a short or unsure word beside an unmistakable one', () => {
    expect(linesFromTsv(tsv(row(0, 10, 95, 'Total'), row(70, 10, 65, '12')))).toEqual(['Total 12']);
  });

  it('cleans and caps what the picture says', () => {
    const [line] = linesFromTsv(tsv(row(0, 10, 95, `evil\u202e\u0007${'x'.repeat(2_000)}`)));
    expect(line).toHaveLength(500);
    expect(line).toMatch(/^evilxxx/);
    const many = Array.from({ length: 1_000 }, (_, index) => row(0, 50 * index, 95, `line${index}`));
    expect(linesFromTsv(tsv(...many))).toHaveLength(200);
  });
});

describe('TesseractOcr', () => {
  it('hands the picture over on standard input and reads the table', async () => {
    const path = await fakeTesseract(
      'good',
      `cat > "${join(folder, 'received.png')}"; printf '${tsv(row(5, 5, 96, 'Harbour'))
        .replaceAll('\t', '\\t')
        .replaceAll('\n', '\\n')}'`,
    );
    const ocr = new TesseractOcr({ tesseractPath: path });
    await expect(ocr.read(picture)).resolves.toEqual({
      status: 'done',
      lines: ['Harbour'],
      languages: ['eng'],
    });
    expect((await readFile(join(folder, 'received.png'))).subarray(1, 4).toString()).toBe('PNG');
    expect(await readFile(`${path}.arguments`, 'utf8')).toBe(
      'stdin stdout -l eng --oem 1 --psm 11 tsv threads=1\n',
    );
  });

  it('asks for an installed language only, and never hands on what is none', async () => {
    const path = await fakeTesseract('languages', `cat > /dev/null; echo "${HEADER}"`);
    const ocr = new TesseractOcr({ tesseractPath: path });
    expect((await ocr.read(picture, 'de')).languages).toEqual(['deu', 'eng']);
    expect((await ocr.read(picture, 'fr')).languages).toEqual(['eng']);
    expect((await ocr.read(picture, '--psm 0; rm -rf /')).languages).toEqual(['eng']);
  });

  it.each([
    ['fails', 'exit 3', 'failed'],
    ['ends without reading', 'exit 0', 'done'],
    ['writes without end', 'cat > /dev/null; yes "5\t1\t1"', 'failed'],
  ])('a program that %s gives %s', async (name, script, status) => {
    const ocr = new TesseractOcr({ tesseractPath: await fakeTesseract(name.replaceAll(' ', '-'), script) });
    expect(await ocr.read(picture)).toMatchObject({ status, lines: [] });
  });

  it('does not wait for ever', async () => {
    const path = await fakeTesseract('slow', 'exec sleep 60');
    const start = performance.now();
    const result = await new TesseractOcr({ tesseractPath: path, timeoutMilliseconds: 200 }).read(picture);
    expect(result.status).toBe('timeout');
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const running = new TesseractOcr({ tesseractPath: await fakeTesseract('stopped', 'exec sleep 60') }).read(
      picture,
      undefined,
      controller.signal,
    );
    setTimeout(() => controller.abort(), 100);
    await expect(running).rejects.toMatchObject({ code: 'provider-cancelled' });
  });

  it('is unavailable where the program is not installed, or is none', async () => {
    const missing = new TesseractOcr({ tesseractPath: join(folder, 'nowhere') });
    expect(await missing.read(picture)).toEqual({ status: 'unavailable', lines: [], languages: [] });
    expect(await new TesseractOcr({ tesseractPath: picture }).read(picture)).toMatchObject({
      status: 'unavailable',
    });
  });

  it('reads a real sign with the real program, or says that there is none', async () => {
    const isInstalled = findOnPath('tesseract') !== undefined;
    const result = await new TesseractOcr().read(picture);
    expect(result).toMatchObject(
      isInstalled
        ? { status: 'done', lines: ['Harbour Bar', 'Open daily'] }
        : { status: 'unavailable', lines: [] },
    );
  });
});
