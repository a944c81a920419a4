import type { FieldFault } from '../../../infrastructure/errors/app-error.js';
import { errors } from '../../../infrastructure/errors/app-error.js';
import {
  faultOfCustomMetadata,
  faultOfLine,
  faultOfNames,
  MAX_CATEGORIES,
  MAX_TAGS,
  MAX_TITLE_LENGTH,
  normalizeLine,
  normalizeNames,
} from '../text-rules.js';

/** The text fields of an upload, checked and normalised. */
export interface UploadFields {
  /** Null when none was sent: the file's name is used. */
  title: string | null;
  tags: string[];
  categories: string[];
  customMetadata: Record<string, unknown>;
  isPrivate: boolean;
}

/** Field names as they may be spelled in the form -> the name they stand for. */
const FIELD_NAMES: Readonly<Record<string, keyof UploadFields>> = {
  title: 'title',
  tags: 'tags',
  'tags[]': 'tags',
  category: 'categories',
  'category[]': 'categories',
  customMetadata: 'customMetadata',
  isPrivate: 'isPrivate',
};

/**
 * Reads the text fields of a multipart form, given as name and value in the order they came.
 * `tags` and `category` may be repeated, with or without `[]`, or hold a JSON array of names.
 * @throws AppError 400 `validation-failed` with every fault at once, unknown fields included
 */
export function readUploadFields(entries: readonly (readonly [name: string, value: string])[]): UploadFields {
  const faults: FieldFault[] = [];
  const values = new Map<keyof UploadFields, string[]>();
  for (const [name, value] of entries) {
    const field = Object.hasOwn(FIELD_NAMES, name) ? FIELD_NAMES[name] : undefined;
    if (field) values.set(field, [...(values.get(field) ?? []), value]);
    else faults.push({ pointer: pointerTo(name), detail: `property ${printable(name)} should not exist` });
  }
  const fault = (pointer: string, detail: string | null): void => {
    if (detail) faults.push({ pointer, detail: `${pointer.slice(1)} ${detail}` });
  };
  for (const field of ['title', 'customMetadata', 'isPrivate'] as const) {
    if ((values.get(field)?.length ?? 0) > 1) fault(`/${field}`, 'must be sent once');
  }

  const title = values.get('title')?.[0] === undefined ? null : normalizeLine(values.get('title')?.[0] ?? '');
  if (title !== null && title !== '') fault('/title', faultOfLine(title, MAX_TITLE_LENGTH));

  const tags = readNames(values.get('tags') ?? []);
  fault('/tags', tags ? faultOfNames(tags, MAX_TAGS) : 'must be names or a JSON array of names');
  const categories = readNames(values.get('categories') ?? []);
  fault(
    '/category',
    categories ? faultOfNames(categories, MAX_CATEGORIES) : 'must be names or a JSON array of names',
  );

  const customMetadata = readJson(values.get('customMetadata')?.[0] ?? '{}');
  fault(
    '/customMetadata',
    customMetadata === undefined ? 'must be valid JSON' : faultOfCustomMetadata(customMetadata),
  );

  const isPrivate = values.get('isPrivate')?.[0] ?? 'false';
  if (isPrivate !== 'true' && isPrivate !== 'false') fault('/isPrivate', 'must be "true" or "false"');

  if (faults.length > 0) throw errors.validation(faults);
  return {
    // A form that leaves the title field empty has no title.
    title: title === '' ? null : title,
    tags: tags ?? [],
    categories: categories ?? [],
    customMetadata: customMetadata as Record<string, unknown>,
    isPrivate: isPrivate === 'true',
  };
}

/** Repeated values, each a name or a JSON array of names; empty ones count as none. Null when an array is broken. */
function readNames(values: readonly string[]): string[] | null {
  const names: string[] = [];
  for (const value of values) {
    if (!value.trimStart().startsWith('[')) {
      names.push(value);
      continue;
    }
    const parsed = readJson(value);
    if (!Array.isArray(parsed) || !parsed.every((name): name is string => typeof name === 'string'))
      return null;
    names.push(...parsed);
  }
  return normalizeNames(names.filter((name) => name.trim() !== ''));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The caller's own text in an answer: short, and of harmless characters only. */
function printable(name: string): string {
  return name.slice(0, 100).replace(/[^\p{L}\p{N}_\-.[\] ]/gu, '?');
}

/** RFC 6901. */
function pointerTo(name: string): string {
  return `/${printable(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
