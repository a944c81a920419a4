import { registerDecorator, type ValidationOptions } from 'class-validator';

export const MAX_TITLE_LENGTH = 255;
export const MAX_LABEL_LENGTH = 100;
export const MAX_FILENAME_LENGTH = 255;
/** More tags on one file than anybody reads; keeps one upload from writing thousands of rows. */
export const MAX_TAGS = 50;
export const MAX_CATEGORIES = 10;
export const MAX_CUSTOM_METADATA_BYTES = 16 * 1024;
/** Deeper JSON is no metadata but an attack on parsers' stacks. */
const MAX_CUSTOM_METADATA_DEPTH = 10;

/* eslint-disable no-control-regex -- finding control characters is the point */
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/;
const CONTROL_CHARACTERS_ALL = /[\u0000-\u001f\u007f-\u009f]/g;
/* eslint-enable no-control-regex */
/** Overrides, embeddings and isolates: they can make `gpj.exe` read as `exe.jpg` (Trojan Source). */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Length in code points, as PostgreSQL's varchar counts. */
const lengthOf = (text: string): number => Array.from(text).length;

/** NFC, without bidirectional controls and surrounding white space: what is stored of a line that a person typed. */
export function normalizeLine(text: string): string {
  return text.normalize('NFC').replace(BIDI_CONTROLS, '').trim();
}

/** What is wrong with an already normalised line, or null. */
export function faultOfLine(value: unknown, maxLength: number): string | null {
  if (typeof value !== 'string') return 'must be a text';
  if (value === '') return 'must not be empty';
  if (!value.isWellFormed() || CONTROL_CHARACTERS.test(value)) {
    return 'must be one line of text without control characters';
  }
  return lengthOf(value) > maxLength ? `must be at most ${maxLength} characters long` : null;
}

/**
 * What is kept of the name that the uploading device gave a file: the last part of a path, NFC, one line, at most 255
 * characters with its extension preserved. Data only: no path is ever built from it (threat C15).
 */
export function cleanFilename(raw: string): string {
  const lastPart = raw.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const cleaned = lastPart.replace(CONTROL_CHARACTERS_ALL, '').replace(BIDI_CONTROLS, '').trim();
  if (cleaned === '' || /^\.+$/.test(cleaned)) return 'unnamed';
  const characters = Array.from(cleaned);
  if (characters.length <= MAX_FILENAME_LENGTH) return cleaned;
  const extension = Array.from(/\.[^.]{1,10}$/.exec(cleaned)?.[0] ?? '');
  return [...characters.slice(0, MAX_FILENAME_LENGTH - extension.length), ...extension].join('');
}

/** The title of a file that was uploaded without one: its name without the extension. */
export function titleFromFilename(filename: string): string {
  return filename.replace(/(?<=.)\.[^.]{1,10}$/, '').trim() || filename;
}

/** Normalised names, each once whatever its case; the first spelling stays. */
export function normalizeNames(names: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const name of names.map(normalizeLine)) {
    if (!byKey.has(name.toLowerCase())) byKey.set(name.toLowerCase(), name);
  }
  return [...byKey.values()];
}

/** What is wrong with a list of tag or category names, or null. */
export function faultOfNames(value: unknown, maxCount: number): string | null {
  if (!Array.isArray(value)) return 'must be a list of names';
  if (value.length > maxCount) return `must hold at most ${maxCount} names`;
  for (const name of value as unknown[]) {
    const fault = faultOfLine(name, MAX_LABEL_LENGTH);
    if (fault) return `each name ${fault}`;
  }
  return null;
}

/** What is wrong with the owner's own JSON, or null. PostgreSQL's jsonb can hold neither NUL nor half a surrogate pair. */
export function faultOfCustomMetadata(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a JSON object';
  const depthFault = faultInside(value, 1);
  if (depthFault) return depthFault;
  return Buffer.byteLength(JSON.stringify(value)) > MAX_CUSTOM_METADATA_BYTES
    ? `must be at most ${MAX_CUSTOM_METADATA_BYTES} bytes of JSON`
    : null;
}

function faultInside(value: unknown, depth: number): string | null {
  if (typeof value === 'string') {
    return value.includes('\u0000') || !value.isWellFormed()
      ? 'must not hold NUL characters or broken text'
      : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (depth > MAX_CUSTOM_METADATA_DEPTH)
    return `must not be nested deeper than ${MAX_CUSTOM_METADATA_DEPTH} levels`;
  for (const [key, entry] of Object.entries(value)) {
    const fault = faultInside(key, depth) ?? faultInside(entry, depth + 1);
    if (fault) return fault;
  }
  return null;
}

/** Class-validator decorator around one of the fault functions above. */
export function FollowsRule(
  faultOf: (value: unknown) => string | null,
  options?: ValidationOptions,
): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'followsRule',
      target: target.constructor,
      propertyName: String(propertyName),
      ...(options ? { options } : {}),
      validator: {
        validate: (value: unknown) => faultOf(value) === null,
        defaultMessage: (context) =>
          `${context?.property ?? 'it'} ${faultOf(context?.value) ?? 'is not valid'}`,
      },
    });
  };
}
