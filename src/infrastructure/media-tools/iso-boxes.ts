import { open } from 'node:fs/promises';

/** Boxes that hold what a file is about; anything may follow them, also bytes that are no box at all. */
const ESSENTIAL_BOXES = new Set(['ftyp', 'meta', 'mdat', 'moov']);

/**
 * True when an ISO base media file (HEIC, HEIF, AVIF) ends in the middle of one of its essential boxes, i.e. was
 * cut while it was copied. libheif shows such pictures with grey or repeated parts and reports no error.
 * Box layout: ISO/IEC 14496-12, 4.2 (size 0 = to the end of the file, size 1 = 64-bit size follows).
 */
export async function isCutIsoFile(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size: fileSize } = await file.stat();
    const header = Buffer.alloc(16);
    let offset = 0;
    while (offset + 8 <= fileSize) {
      const { bytesRead } = await file.read(header, 0, 16, offset);
      const type = header.toString('latin1', 4, 8);
      if (!ESSENTIAL_BOXES.has(type) && !/^[\x20-\x7e]{4}$/.test(type)) return false;
      let boxSize = header.readUInt32BE(0);
      if (boxSize === 0) return false;
      if (boxSize === 1) {
        if (bytesRead < 16) return ESSENTIAL_BOXES.has(type);
        boxSize = Number(header.readBigUInt64BE(8));
      }
      if (boxSize < 8) return false;
      if (offset + boxSize > fileSize) return ESSENTIAL_BOXES.has(type);
      offset += boxSize;
    }
    return false;
  } finally {
    await file.close();
  }
}
