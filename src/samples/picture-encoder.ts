import sharp, { type Exif, type Sharp } from 'sharp';
import { Canvas } from './drawing/canvas.js';
import type { Scene } from './scenes/scenery.js';

export type PictureFormat = 'jpeg' | 'png' | 'webp' | 'tiff' | 'gif' | 'avif';

/** What the camera of a sample photo is made to have written. */
export interface CameraData {
  make: string;
  model: string;
  /** Local time without zone, `YYYY-MM-DDTHH:mm:ss`, as cameras store it. */
  takenAt: string;
  exposureTime?: string;
  fNumber?: number;
  iso?: number;
  focalLengthMm?: number;
  /** Decimal degrees, north and east positive. */
  position?: { latitude: number; longitude: number };
}

export interface PictureFile {
  format: PictureFormat;
  /** Pixels per unit of the scene; 1 when absent. */
  scale?: number;
  camera?: CameraData;
  /** Stores the rows turned by 90 degrees with EXIF orientation 6, as a phone held upright does. */
  storedSideways?: boolean;
}

/** Written to each photo, so that nobody takes its camera data for real. */
const SOFTWARE = 'AI Media Search sample library';

/** Size of the upright picture in pixels. */
export function pictureSize(scene: Scene, file: PictureFile): { width: number; height: number } {
  const scale = file.scale ?? 1;
  return { width: Math.round(scene.width * scale), height: Math.round(scene.height * scale) };
}

/** Draws a scene at the size of its file; upright raw RGB. */
export function drawPicture(scene: Scene, file: PictureFile): Buffer {
  const { width, height } = pictureSize(scene, file);
  const canvas = new Canvas(width, height);
  canvas.within(0, 0, file.scale ?? 1, 0, () => scene.draw(canvas));
  return canvas.toRgb();
}

/**
 * Encodes a drawn picture, with camera data where the file has some, and writes it to `path`.
 * @param rgb upright pixels, as `drawPicture` gives them
 */
export async function writePicture(
  rgb: Buffer,
  scene: Scene,
  file: PictureFile,
  path: string,
): Promise<void> {
  let image = sharp(rgb, { raw: { ...pictureSize(scene, file), channels: 3 } });
  // Orientation 6 says "turn me clockwise to see me upright", so the rows are stored turned the other way.
  if (file.storedSideways) image = image.rotate(-90);
  const exif = file.camera && cameraExif(file.camera);
  if (exif) image = image.withExif(exif);
  if (file.storedSideways) image = image.withMetadata({ orientation: 6 });
  await encode(image, file.format).toFile(path);
}

function encode(image: Sharp, format: PictureFormat): Sharp {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality: 84 });
    case 'png':
      return image.png({ compressionLevel: 9 });
    case 'webp':
      return image.webp({ quality: 82 });
    case 'tiff':
      return image.tiff({ compression: 'lzw', predictor: 'horizontal', xres: 6, yres: 6 });
    case 'gif':
      return image.gif({ colours: 32, dither: 0 });
    case 'avif':
      return image.avif({ quality: 62, effort: 2 });
  }
}

/** EXIF in libvips' grouping: IFD0 = the image, IFD2 = the exposure, IFD3 = the place. */
function cameraExif(camera: CameraData): Exif {
  const time = camera.takenAt.replaceAll('-', ':').replace('T', ' ');
  const exif: Required<Pick<Exif, 'IFD0' | 'IFD2'>> & Exif = {
    IFD0: { Make: camera.make, Model: camera.model, Software: SOFTWARE, DateTime: time },
    IFD2: { DateTimeOriginal: time, DateTimeDigitized: time },
  };
  if (camera.exposureTime) exif.IFD2.ExposureTime = camera.exposureTime;
  if (camera.fNumber) exif.IFD2.FNumber = `${Math.round(camera.fNumber * 10)}/10`;
  if (camera.iso) exif.IFD2.ISOSpeedRatings = String(camera.iso);
  if (camera.focalLengthMm) exif.IFD2.FocalLength = `${camera.focalLengthMm}/1`;
  if (camera.position) {
    const { latitude, longitude } = camera.position;
    exif.IFD3 = {
      GPSLatitudeRef: latitude < 0 ? 'S' : 'N',
      GPSLatitude: degreesMinutesSeconds(latitude),
      GPSLongitudeRef: longitude < 0 ? 'W' : 'E',
      GPSLongitude: degreesMinutesSeconds(longitude),
    };
  }
  return exif;
}

/** Decimal degrees as three EXIF rationals; the seconds to a hundredth, about 30 cm on the ground. */
function degreesMinutesSeconds(decimal: number): string {
  const hundredths = Math.round(Math.abs(decimal) * 360_000);
  const degrees = Math.floor(hundredths / 360_000);
  const minutes = Math.floor((hundredths % 360_000) / 6_000);
  return `${degrees}/1 ${minutes}/1 ${hundredths % 6_000}/100`;
}
