import sharp, { type Sharp } from 'sharp';
import { drawPicture } from '../../src/samples/picture-encoder.js';
import type { Scene } from '../../src/samples/scenes/scenery.js';

const SCALE = 0.4;

/** A scene of the sample library as a picture that is still to be encoded. */
export function upright(scene: Scene): Sharp {
  const rgb = drawPicture(scene, { format: 'jpeg', scale: SCALE });
  return sharp(rgb, {
    raw: { width: Math.round(scene.width * SCALE), height: Math.round(scene.height * SCALE), channels: 3 },
  });
}

/** The same as a JPEG. */
export const draw = (scene: Scene): Promise<Buffer> => upright(scene).jpeg({ quality: 92 }).toBuffer();
