import { AppError, errors, type FieldFault } from '../../infrastructure/errors/app-error.js';
import { MAX_PARTS, type ComposedSimilarRequest, type SimilarPart } from './dto/similar.request.js';

const DEFAULT_WEIGHT = 1;

/** A part of the request with its place in it. */
export interface Part {
  /** JSON pointer. */
  pointer: string;
  text: string | null;
  mediaFileId: string | null;
  weight: number;
  isExcluded: boolean;
}

/** @throws AppError 400 with every fault at once */
export function readParts(request: ComposedSimilarRequest): Part[] {
  const faults: FieldFault[] = [];
  const read = (list: 'include' | 'exclude', parts: readonly SimilarPart[]): Part[] =>
    parts.map((part, index) => {
      const pointer = `/${list}/${index}`;
      const text = part.text ?? null;
      const mediaFileId = part.mediaFileId?.toLowerCase() ?? null;
      if ((text === null) === (mediaFileId === null)) {
        faults.push({ pointer, detail: 'a part is either a text or a mediaFileId' });
      }
      return {
        pointer,
        text,
        mediaFileId,
        weight: part.weight ?? DEFAULT_WEIGHT,
        isExcluded: list === 'exclude',
      };
    });
  const parts = [...read('include', request.include), ...read('exclude', request.exclude ?? [])];
  if (parts.length > MAX_PARTS) {
    faults.push({
      pointer: '/exclude',
      detail: `include and exclude hold at most ${MAX_PARTS} parts together`,
    });
  }
  if (faults.length > 0) throw errors.validation(faults);
  return parts;
}

/** What the history shows: the words, excluded ones with a minus; files have none. */
export function queryTextOf(parts: Part[]): string {
  const words = parts.map(({ text, isExcluded }) => `${isExcluded ? '- ' : '+ '}${text ?? '(file)'}`);
  return words.join(' ');
}

/** Named files that cannot be compared. @param isFaulty by the file's id */
function faultsOf(parts: Part[], isFaulty: (id: string) => boolean, detail: string): FieldFault[] {
  return parts.flatMap(({ mediaFileId, pointer }) =>
    mediaFileId !== null && isFaulty(mediaFileId) ? [{ pointer: `${pointer}/mediaFileId`, detail }] : [],
  );
}

/**
 * @param sources rows of the named files that the user has, by id
 * @throws AppError 404 for a file that the user does not have, 409 `not-embedded` for one without a vector, each with a
 *   pointer to the part
 */
export function checkSources(parts: Part[], sources: ReadonlyMap<string, { vector: string | null }>): void {
  const unknown = faultsOf(parts, (id) => !sources.has(id), 'There is no such media file.');
  if (unknown.length > 0) throw unknownFiles(unknown);
  const pending = faultsOf(
    parts,
    (id) => sources.get(id)!.vector === null,
    'This file has no vector of the active model yet.',
  );
  if (pending.length > 0) throw notEmbedded(pending);
}

export function cancelOut(): AppError {
  return errors.badRequest(
    'parts-cancel-out',
    'What is excluded takes away all of what is included. Change the parts or their weights.',
    '/exclude',
  );
}

/** The same for a file that does not exist, one in the trash, and somebody else's. */
function unknownFiles(faults: FieldFault[]): AppError {
  return new AppError(404, 'not-found', 'Not found', 'There is no such media file.', { errors: faults });
}

function notEmbedded(faults: FieldFault[]): AppError {
  return new AppError(
    409,
    'not-embedded',
    'File not ready',
    'A file has no vector yet. Wait until its jobs are completed, or have it analysed again.',
    { errors: faults },
  );
}
