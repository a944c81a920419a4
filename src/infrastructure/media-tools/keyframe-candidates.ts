import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyframeCandidate } from './keyframe-selection.js';
import { sharp } from './sharp-setup.js';

/** A candidate that lies on disk as a JPEG. */
export interface CandidateFile extends KeyframeCandidate {
  path: string;
  width: number;
  height: number;
}

const SIGNATURE_SIDE = 16;
const FILE_PREFIX = 'candidate-';

/** Name pattern for ffmpeg's image writer; a `%` in the folder's name has to be doubled. */
export function candidatePattern(folder: string): string {
  return `${join(folder, FILE_PREFIX).replaceAll('%', '%%')}%05d.jpg`;
}

/**
 * Puts together what ffmpeg's `metadata=print` said and the pictures it wrote.
 * @param printed blocks of `frame:0 pts:5040000 pts_time:5.04` (microseconds) and `lavfi.scene_score=0.014`
 * @returns candidates in order of time
 */
export async function readCandidates(
  printed: string,
  folder: string,
  size: { width: number; height: number },
): Promise<CandidateFile[]> {
  const candidates: CandidateFile[] = [];
  // A frame without a scene score (the first one in some builds) has its own line all the same.
  const blocks = printed.split(/^frame:/m).slice(1);
  for (const [index, block] of blocks.entries()) {
    const microseconds = Number(/\bpts:\s*(-?\d+)/.exec(block)?.[1]);
    if (!Number.isFinite(microseconds)) continue;
    const path = join(folder, `${FILE_PREFIX}${String(index + 1).padStart(5, '0')}.jpg`);
    candidates.push({
      path,
      ...size,
      timestampSeconds: Math.max(0, microseconds / 1e6),
      sceneScore: Number(/scene_score=([\d.]+)/.exec(block)?.[1] ?? 0),
      signature: await greySignature(path),
    });
  }
  return candidates;
}

/** 16 x 16 grey values of a picture, row by row. */
export async function greySignature(picture: string | Buffer): Promise<Uint8Array> {
  return sharp(picture).resize(SIGNATURE_SIDE, SIGNATURE_SIDE, { fit: 'fill' }).greyscale().raw().toBuffer();
}

export async function removeCandidates(candidates: readonly CandidateFile[]): Promise<void> {
  await Promise.all(candidates.map(({ path }) => rm(path, { force: true })));
}
