import { MAX_CUSTOM_METADATA_BYTES } from '../text-rules.js';
import { escapePointer } from '../../../infrastructure/http/validation.js';
import { asCondition, readList, readObject, type FilterReader, type Read } from './filter-reader.js';
import type { CustomMetadataFilter, MetadataRange } from './media-filter.types.js';
import { kindOfRange } from './metadata-filter.sql.js';

/** As deep as the owner's JSON may be. */
const MAX_DEPTH = 10;
const MAX_NODES = 2_000;
const MAX_TEXT_CHARACTERS = 200;
const MAX_ENTRIES = 20;

const readKey: Read<string> = (reader, value, pointer) => {
  if (typeof value !== 'string') return reader.fault(pointer, 'must be a text');
  if (value.length > MAX_TEXT_CHARACTERS) {
    return reader.fault(pointer, `must be at most ${MAX_TEXT_CHARACTERS} characters long`);
  }
  return isStorable(value) ? value : reader.fault(pointer, BROKEN_TEXT);
};

const readPath: Read<string[]> = (reader, value, pointer, depth) => {
  const path = readList(readKey, MAX_DEPTH)(reader, value, pointer, depth);
  return path?.length === 0 && (value as unknown[]).length === 0
    ? reader.fault(pointer, 'must hold at least one key')
    : path;
};

const readBound: Read<number | string> = (reader, value, pointer, depth) => {
  if (typeof value === 'string') return readKey(reader, value, pointer, depth);
  return Number.isFinite(value)
    ? (value as number)
    : reader.fault(pointer, 'must be a number, or a text such as 2026-11-21');
};

const readRangeFields = readObject<MetadataRange>({ path: readPath, min: readBound, max: readBound });

const readRange: Read<MetadataRange> = (reader, value, pointer, depth) => {
  const faultsBefore = reader.faults.length;
  const range = readRangeFields(reader, value, pointer, depth);
  if (range === undefined || reader.faults.length > faultsBefore) return undefined;
  const { path, min, max } = range;
  if (path === undefined) return reader.fault(`${pointer}/path`, 'is missing');
  if (min === undefined && max === undefined) return reader.fault(pointer, 'must have min or max');
  const kind = kindOfRange(range);
  if (kind === null) return reader.fault(`${pointer}/max`, 'must be of the same kind as min');
  return kind === 'number' && Number(min) > Number(max)
    ? reader.fault(`${pointer}/max`, 'must not be less than min')
    : range;
};

const readContained: Read<Record<string, unknown>> = (reader, value, pointer) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return reader.fault(pointer, 'must be a JSON object');
  }
  const faultsBefore = reader.faults.length;
  checkJson(reader, value, pointer, 1, { nodes: 0, root: pointer });
  if (reader.faults.length > faultsBefore) return undefined;
  return Buffer.byteLength(JSON.stringify(value)) > MAX_CUSTOM_METADATA_BYTES
    ? reader.fault(pointer, `must be at most ${MAX_CUSTOM_METADATA_BYTES} bytes of JSON`)
    : (value as Record<string, unknown>);
};

export const readCustomMetadata: Read<CustomMetadataFilter> = readObject<CustomMetadataFilter>({
  contains: asCondition(readContained),
  ranges: readList(asCondition(readRange), MAX_ENTRIES),
  exists: readList(asCondition(readPath), MAX_ENTRIES),
});

const BROKEN_TEXT = 'must not hold NUL characters or broken text';

/** Can PostgreSQL's jsonb hold it? */
function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Any JSON is allowed that could be stored; bounded in depth and number before anything else is done with it. */
function checkJson(
  reader: FilterReader,
  value: unknown,
  pointer: string,
  depth: number,
  walk: { nodes: number; root: string },
): void {
  if (reader.isStopped || walk.nodes > MAX_NODES) return;
  if (++walk.nodes > MAX_NODES) {
    reader.fault(walk.root, `must hold at most ${MAX_NODES} values`);
  } else if (typeof value === 'string') {
    if (!isStorable(value)) reader.fault(pointer, BROKEN_TEXT);
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) reader.fault(pointer, 'must be a finite number');
  } else if (typeof value === 'object' && value !== null) {
    if (depth > MAX_DEPTH) return void reader.fault(pointer, `is nested deeper than ${MAX_DEPTH} levels`);
    for (const [key, entry] of Object.entries(value)) {
      if (reader.isStopped || walk.nodes > MAX_NODES) return;
      const inside = `${pointer}/${escapePointer(key)}`;
      if (!isStorable(key) || key === '__proto__') reader.fault(inside, 'is no key that can be stored');
      else checkJson(reader, entry, inside, depth + 1, walk);
    }
  } else if (typeof value !== 'boolean' && value !== null) {
    reader.fault(pointer, 'must be JSON');
  }
}
