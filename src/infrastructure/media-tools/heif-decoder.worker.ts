/**
 * Worker thread that decodes one HEIC/HEIF picture with libheif (WASM) and ends. WASM blocks the thread it runs
 * in and never gives memory back, so each picture gets a thread of its own.
 *
 * This file is also run straight from TypeScript (Node strips the types), so it holds erasable syntax only and
 * imports packages only.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  /** Fills `target.data` with RGBA, 8 bits; crop, rotation and mirroring of the file are already applied. */
  display(target: HeifTarget, done: (result: HeifTarget | null) => void): void;
}
interface HeifTarget {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}
interface LibHeif {
  HeifDecoder: new () => { decode(file: Buffer): HeifImage[] };
}

const { path, maxPixels } = workerData as { path: string; maxPixels: number };

// The library reports what went wrong by console.log only.
const messages: string[] = [];
// eslint-disable-next-line no-console -- caught here, so that it becomes the error's text
console.log = (...parts: unknown[]) => messages.push(parts.map(String).join(' '));

function fail(code: 'too-large' | 'undecodable', message: string): void {
  parentPort?.postMessage({ ok: false, code, message });
}

const libheif = createRequire(import.meta.url)('libheif-js/wasm-bundle') as LibHeif;
const images = new libheif.HeifDecoder().decode(readFileSync(path));
const image = images.find((candidate) => candidate.is_primary()) ?? images[0];
if (!image) {
  fail('undecodable', messages.join('; ') || 'The file holds no picture.');
} else {
  const width = image.get_width();
  const height = image.get_height();
  if (width * height > maxPixels) {
    fail('too-large', `${width} x ${height}`);
  } else {
    image.display({ data: new Uint8ClampedArray(width * height * 4), width, height }, (result) => {
      if (!result) {
        fail('undecodable', messages.join('; ') || 'The picture cannot be decoded.');
        return;
      }
      parentPort?.postMessage({ ok: true, width, height, data: result.data }, [
        result.data.buffer as ArrayBuffer,
      ]);
    });
  }
}
