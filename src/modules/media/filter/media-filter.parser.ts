import { COLOR_NAMES } from '../../../infrastructure/ai/local/colors.js';
import type { FieldFault } from '../../../infrastructure/errors/app-error.js';
import { FILE_TYPES, MEDIA_STATUSES, SENTIMENTS } from '../dto/media.response.js';
import { faultOfLine, MAX_LABEL_LENGTH, normalizeLine } from '../text-rules.js';
import {
  asCondition,
  FilterReader,
  readBoolean,
  readList,
  readNumber,
  readObject,
  readWord,
  readWords,
  type Fields,
  type Read,
} from './filter-reader.js';
import {
  MAX_CONDITIONS,
  MAX_GROUP_DEPTH,
  ORIENTATIONS,
  type MediaFilter,
  type NameSets,
  type NumberRange,
} from './media-filter.types.js';
import { readCustomMetadata } from './metadata-filter.parser.js';
import { toUtc } from './timestamps.js';

/** Names in one list; they are one condition together. */
export const MAX_NAMES = 50;
export const MAX_LABELS = 20;
/** Of a filter in a URL, decoded: request line and headers together may have 16 KB. */
export const MAX_FILTER_CHARACTERS = 8_000;
const MAX_INTEGER = 2_147_483_647;
/** What numeric(10, 3) holds. */
const MAX_DURATION_SECONDS = 9_999_999.999;

export interface ParsedFilter {
  /** Normalised: null and absent are the same, times are UTC, names NFC; fields in the order of the grammar. */
  value: MediaFilter;
  /** Pointers are relative to the filter: `/or/1/tags/any/0`, `` for the filter itself. */
  faults: FieldFault[];
}

/** Checks a filter from outside, whatever it is. With faults, `value` is of no use. */
export function parseMediaFilter(value: unknown): ParsedFilter {
  const reader = new FilterReader();
  const filter = readTopLevel(reader, value, '', 0) ?? {};
  return { value: filter, faults: reader.faults };
}

/** The same for a filter that comes as JSON text, in a URL. */
export function parseMediaFilterText(text: unknown): ParsedFilter {
  const refuse = (detail: string): ParsedFilter => ({
    value: {},
    faults: [{ pointer: '', detail: `the filter must be ${detail}` }],
  });
  if (typeof text !== 'string') return refuse('sent once');
  if (text.length > MAX_FILTER_CHARACTERS) return refuse(`at most ${MAX_FILTER_CHARACTERS} characters long`);
  try {
    return parseMediaFilter(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('valid JSON');
    throw error;
  }
}

const readName: Read<string> = (reader, value, pointer) => {
  // Looked at before the text is worked on: a name is never near that long.
  if (typeof value === 'string' && value.length > 4 * MAX_LABEL_LENGTH) {
    return reader.fault(pointer, `must be at most ${MAX_LABEL_LENGTH} characters long`);
  }
  const line = typeof value === 'string' ? normalizeLine(value) : value;
  const fault = faultOfLine(line, MAX_LABEL_LENGTH);
  return fault === null ? (line as string) : reader.fault(pointer, fault);
};

const readTimestamp: Read<string> = (reader, value, pointer) =>
  (typeof value === 'string' ? toUtc(value) : null) ??
  reader.fault(pointer, 'must be a date such as 2026-11-21 or a time such as 2026-11-21T10:00:00Z');

const readColorName: Read<string> = (reader, value, pointer, depth) =>
  readWord(COLOR_NAMES)(reader, typeof value === 'string' ? value.toLowerCase() : value, pointer, depth);

function readRange(max: number, kind: 'integer' | 'number'): Read<NumberRange> {
  const bound = asCondition(readNumber(0, max, kind));
  const read = readObject<NumberRange>({ min: bound, max: bound });
  return (reader, value, pointer, depth) => {
    const range = read(reader, value, pointer, depth);
    if (range?.min === undefined || range.max === undefined || range.min <= range.max) return range;
    return reader.fault(`${pointer}/max`, 'must not be less than min');
  };
}

const nameSetFields: Fields<NameSets> = {
  any: asCondition(readList(readName, MAX_NAMES)),
  all: asCondition(readList(readName, MAX_NAMES)),
  none: asCondition(readList(readName, MAX_NAMES)),
};
const readNameSets = readObject(nameSetFields);
const readNames = asCondition(readList(readName, MAX_NAMES));

const fields: Fields<MediaFilter> = {
  fileType: asCondition(readWord(FILE_TYPES)),
  status: asCondition(readWords(MEDIA_STATUSES)),
  uploadedFrom: asCondition(readTimestamp),
  uploadedTo: asCondition(readTimestamp),
  takenFrom: asCondition(readTimestamp),
  takenTo: asCondition(readTimestamp),
  durationSeconds: readRange(MAX_DURATION_SECONDS, 'number'),
  fileSizeBytes: readRange(Number.MAX_SAFE_INTEGER, 'integer'),
  width: readRange(MAX_INTEGER, 'integer'),
  height: readRange(MAX_INTEGER, 'integer'),
  facesCount: readRange(MAX_INTEGER, 'integer'),
  orientation: asCondition(readWords(ORIENTATIONS)),
  tags: readNameSets,
  categories: (reader, value, pointer, depth) =>
    (Array.isArray(value) ? readNames : readNameSets)(reader, value, pointer, depth),
  labels: readList(
    asCondition(withField('name', readObject({ name: readName, minConfidence: readNumber(0, 1, 'number') }))),
    MAX_LABELS,
  ),
  sentiment: asCondition(readWords(SENTIMENTS)),
  contentWarnings: readObject({ ...nameSetFields, isEmpty: asCondition(readBoolean) }),
  colors: readList(
    asCondition(withField('name', readObject({ name: readColorName, minShare: readNumber(0, 1, 'number') }))),
    COLOR_NAMES.length,
  ),
  isPrivate: asCondition(readBoolean),
  includePrivate: (reader, value, pointer, depth) =>
    depth === 0
      ? readBoolean(reader, value, pointer, depth)
      : reader.fault(pointer, 'belongs to the outermost filter only'),
  customMetadata: readCustomMetadata,
  hasTranscript: asCondition(readBoolean),
  hasText: asCondition(readBoolean),
  and: readGroup(readList(readPart, MAX_CONDITIONS)),
  or: readGroup(readList(readPart, MAX_CONDITIONS)),
  not: readGroup(readPart),
};
const readTopLevel = readObject(fields);

/** Names of all fields, in the order of a normalised filter. */
export const FILTER_FIELDS: readonly string[] = Object.keys(fields);

/** A group's members lie one level deeper. Refused before they are looked at, so that nesting costs nothing. */
function readGroup<T>(read: Read<T>): Read<T> {
  return (reader, value, pointer, depth) =>
    depth >= MAX_GROUP_DEPTH
      ? reader.fault(pointer, `is nested too deep: groups go ${MAX_GROUP_DEPTH} levels deep`)
      : read(reader, value, pointer, depth + 1);
}

/** A filter within a group. An empty one is a condition as well: it always holds. */
function readPart(
  reader: FilterReader,
  value: unknown,
  pointer: string,
  depth: number,
): MediaFilter | undefined {
  const before = reader.conditionCount;
  const part = readTopLevel(reader, value, pointer, depth);
  if (reader.conditionCount === before) reader.count(pointer);
  return part;
}

function withField<T extends object>(name: keyof T & string, read: Read<T>): Read<T> {
  return (reader, value, pointer, depth) => {
    const found = read(reader, value, pointer, depth);
    const isMissing =
      found !== undefined && ((value as Record<string, unknown>)[name] ?? undefined) === undefined;
    return isMissing ? reader.fault(`${pointer}/${name}`, 'is missing') : found;
  };
}
