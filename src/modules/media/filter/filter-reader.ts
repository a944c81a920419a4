import type { FieldFault } from '../../../infrastructure/errors/app-error.js';
import { escapePointer } from '../../../infrastructure/http/validation.js';
import { MAX_CONDITIONS } from './media-filter.types.js';

/** More faults help nobody, and an answer must not grow with a hostile request. */
const MAX_FAULTS = 50;

/**
 * Where a filter is being read: collects faults with pointers and counts conditions. Once there are too many of either,
 * nothing more is looked at, so that the time is bounded whatever was sent.
 */
export class FilterReader {
  readonly faults: FieldFault[] = [];
  private conditions = 0;
  private isOverfull = false;

  get isStopped(): boolean {
    return this.isOverfull || this.faults.length >= MAX_FAULTS;
  }

  get conditionCount(): number {
    return this.conditions;
  }

  /** @returns undefined, what a faulty field is read as */
  fault(pointer: string, detail: string): undefined {
    if (!this.isStopped) this.faults.push({ pointer, detail: `${nameOf(pointer)} ${detail}` });
    return undefined;
  }

  /** Counts one condition of the query. */
  count(pointer: string): void {
    if (++this.conditions <= MAX_CONDITIONS || this.isStopped) return;
    this.fault(pointer, `is one too many: a filter holds at most ${MAX_CONDITIONS} conditions`);
    this.isOverfull = true;
  }
}

/** Reads one JSON value; `undefined` means that it filters nothing, or that a fault was noted. */
export type Read<T> = (reader: FilterReader, value: unknown, pointer: string, depth: number) => T | undefined;

/** One reader for each field of T. */
export type Fields<T> = { [K in keyof T]-?: Read<NonNullable<T[K]>> };

/** An object with these fields and no others; a field that is null counts as absent. The fields come out in order. */
export function readObject<T extends object>(fields: Fields<T>): Read<T> {
  return (reader, value, pointer, depth) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return reader.fault(pointer, 'must be an object');
    }
    for (const name of Object.keys(value)) {
      if (reader.isStopped) return undefined;
      if (!Object.hasOwn(fields, name))
        reader.fault(`${pointer}/${escapePointer(name)}`, 'is not known here');
    }
    const found: Partial<T> = {};
    for (const name of Object.keys(fields) as (keyof T & string)[]) {
      if (reader.isStopped) return undefined;
      const entry = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (entry === undefined || entry === null) continue;
      const read = fields[name](reader, entry, `${pointer}/${name}`, depth);
      if (read !== undefined) found[name] = read;
    }
    return found as T;
  };
}

/** A list of at most `maxItems`; items that are faulty are left out. */
export function readList<T>(item: Read<T>, maxItems: number): Read<T[]> {
  return (reader, value, pointer, depth) => {
    if (!Array.isArray(value)) return reader.fault(pointer, 'must be a list');
    if (value.length > maxItems) return reader.fault(pointer, `must hold at most ${maxItems} entries`);
    const found: T[] = [];
    for (const [index, entry] of (value as unknown[]).entries()) {
      if (reader.isStopped) return undefined;
      const read = item(reader, entry, `${pointer}/${index}`, depth);
      if (read !== undefined) found.push(read);
    }
    return found;
  };
}

/** What `read` gives, as one condition of the query. */
export function asCondition<T>(read: Read<T>): Read<T> {
  return (reader, value, pointer, depth) => {
    reader.count(pointer);
    return reader.isStopped ? undefined : read(reader, value, pointer, depth);
  };
}

export function readWord<T extends string>(words: readonly T[]): Read<T> {
  return (reader, value, pointer) =>
    words.includes(value as T) ? (value as T) : reader.fault(pointer, `must be one of ${words.join(', ')}`);
}

/** One word, or a list of them. */
export function readWords<T extends string>(words: readonly T[]): Read<T[]> {
  const one = readWord(words);
  const many = readList(one, words.length);
  return (reader, value, pointer, depth) => {
    if (Array.isArray(value)) return many(reader, value, pointer, depth);
    const word = one(reader, value, pointer, depth);
    return word === undefined ? undefined : [word];
  };
}

export const readBoolean: Read<boolean> = (reader, value, pointer) =>
  typeof value === 'boolean' ? value : reader.fault(pointer, 'must be true or false');

export function readNumber(min: number, max: number, kind: 'integer' | 'number'): Read<number> {
  return (reader, value, pointer) =>
    typeof value === 'number' &&
    value >= min &&
    value <= max &&
    (kind === 'number' || Number.isInteger(value))
      ? value
      : reader.fault(
          pointer,
          `must be ${kind === 'integer' ? 'a whole number' : 'a number'} from ${min} to ${max}`,
        );
}

/** The last name in a pointer, for the words of a fault: `or/1` of `/or/1`, `tags` of `/tags`. */
function nameOf(pointer: string): string {
  const segments = pointer.split('/').slice(1);
  const last = segments.at(-1);
  if (last === undefined) return 'the filter';
  return /^\d+$/.test(last) && segments.length > 1 ? segments.slice(-2).join('/') : last;
}
