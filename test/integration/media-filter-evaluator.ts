import type {
  MediaFilter,
  MetadataRange,
  NameSets,
} from '../../src/modules/media/filter/media-filter.types.js';

/** What a filter can ask of a file, as the test that made the file knows it. */
export interface FilteredFile {
  fileType: 'image' | 'video';
  status: string;
  uploadedAt: string;
  takenAt: string | null;
  durationSeconds: number | null;
  fileSizeBytes: number;
  width: number | null;
  height: number | null;
  facesCount: number;
  tags: string[];
  categories: string[];
  labels: { name: string; confidence: number }[];
  sentiment: string | null;
  contentWarnings: string[];
  colors: { name: string; share: number }[];
  isPrivate: boolean;
  customMetadata: Record<string, unknown>;
  transcript: string | null;
  detectedText: string[];
}

/**
 * Does the file pass? The grammar once more, in plain TypeScript and without a look at the SQL: the other opinion of
 * the property tests.
 */
export function passes(filter: MediaFilter, file: FilteredFile): boolean {
  const checks: boolean[] = [];
  if (filter.fileType !== undefined) checks.push(file.fileType === filter.fileType);
  if (filter.isPrivate !== undefined) checks.push(file.isPrivate === filter.isPrivate);
  if (filter.hasTranscript !== undefined) checks.push(Boolean(file.transcript) === filter.hasTranscript);
  if (filter.hasText !== undefined) checks.push(file.detectedText.length > 0 === filter.hasText);
  checks.push(isOneOf(filter.status, file.status), isOneOf(filter.sentiment, file.sentiment));
  checks.push(isOneOf(filter.orientation, orientationOf(file)));
  const uploaded = Date.parse(file.uploadedAt);
  const taken = file.takenAt === null ? null : Date.parse(file.takenAt);
  if (filter.uploadedFrom !== undefined) checks.push(uploaded >= Date.parse(filter.uploadedFrom));
  if (filter.uploadedTo !== undefined) checks.push(uploaded < Date.parse(filter.uploadedTo));
  if (filter.takenFrom !== undefined) checks.push(taken !== null && taken >= Date.parse(filter.takenFrom));
  if (filter.takenTo !== undefined) checks.push(taken !== null && taken < Date.parse(filter.takenTo));
  for (const field of ['durationSeconds', 'fileSizeBytes', 'width', 'height', 'facesCount'] as const) {
    const value = file[field];
    const { min, max } = filter[field] ?? {};
    if (min !== undefined) checks.push(value !== null && value >= min);
    if (max !== undefined) checks.push(value !== null && value <= max);
  }
  const { categories } = filter;
  checks.push(fitsNames(filter.tags, file.tags));
  checks.push(fitsNames(Array.isArray(categories) ? { any: categories } : categories, file.categories));
  checks.push(fitsNames(filter.contentWarnings, file.contentWarnings));
  if (filter.contentWarnings?.isEmpty !== undefined) {
    checks.push((file.contentWarnings.length === 0) === filter.contentWarnings.isEmpty);
  }
  for (const { name, minConfidence = 0 } of filter.labels ?? []) {
    // Confidences are kept in single precision.
    checks.push(
      file.labels.some(
        (label) =>
          label.name === name.toLowerCase() && Math.fround(label.confidence) >= Math.fround(minConfidence),
      ),
    );
  }
  for (const { name, minShare = 0 } of filter.colors ?? []) {
    checks.push(file.colors.some((color) => color.name === name && color.share >= minShare));
  }
  const { contains, ranges = [], exists = [] } = filter.customMetadata ?? {};
  if (contains !== undefined) checks.push(includes(file.customMetadata, contains));
  for (const range of ranges) checks.push(fitsRange(range, valueAt(file.customMetadata, range.path)));
  for (const path of exists) checks.push(valueAt(file.customMetadata, path) !== undefined);
  for (const part of filter.and ?? []) checks.push(passes(part, file));
  if (filter.or && filter.or.length > 0) checks.push(filter.or.some((part) => passes(part, file)));
  if (filter.not) checks.push(!passes(filter.not, file));
  return checks.every(Boolean);
}

/** Does a group somewhere name isPrivate, so that a search no longer leaves private files out by itself? */
export function namesPrivacy(filter: MediaFilter): boolean {
  return JSON.stringify(filter).includes('"isPrivate":');
}

function isOneOf(wanted: string | string[] | undefined, value: string | null): boolean {
  const words = wanted === undefined ? [] : [wanted].flat();
  return words.length === 0 || (value !== null && words.includes(value));
}

function orientationOf({ width, height }: FilteredFile): string | null {
  if (width === null || height === null) return null;
  if (width === height) return 'square';
  return width > height ? 'landscape' : 'portrait';
}

function fitsNames({ any = [], all = [], none = [] }: NameSets = {}, names: string[]): boolean {
  const has = (name: string): boolean => names.some((own) => own.toLowerCase() === name.toLowerCase());
  return (any.length === 0 || any.some(has)) && all.every(has) && !none.some(has);
}

/** PostgreSQL's @>. */
function includes(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((entry) => whole.some((own) => includes(own, entry)));
  }
  if (typeof part === 'object' && part !== null) {
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return false;
    return Object.entries(part).every(
      ([key, entry]) => Object.hasOwn(whole, key) && includes((whole as Record<string, unknown>)[key], entry),
    );
  }
  return whole === part;
}

function valueAt(value: unknown, path: string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return /^\d+$/.test(key) ? valueAt(value[Number(key)], rest) : undefined;
  return Object.hasOwn(value, key) ? valueAt((value as Record<string, unknown>)[key], rest) : undefined;
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

function momentOf(value: unknown): number | null {
  if (typeof value !== 'string' || !TIME.test(value)) return null;
  const day = value.slice(0, 10);
  const midnight = new Date(day);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return null;
  const moment = Date.parse(value);
  return Number.isNaN(moment) ? null : moment;
}

function fitsRange({ min, max }: MetadataRange, value: unknown): boolean {
  const bounds = [min, max].filter((bound) => bound !== undefined);
  if (bounds.every((bound) => typeof bound === 'number')) {
    return typeof value === 'number' && value >= Number(min ?? -Infinity) && value <= Number(max ?? Infinity);
  }
  if (bounds.every((bound) => momentOf(bound) !== null)) {
    const moment = momentOf(value);
    if (moment === null || moment < (momentOf(min) ?? -Infinity)) return false;
    if (max === undefined) return true;
    const wholeDay = String(max).length === 10 ? 86_400_000 - 1 : 0;
    return moment <= momentOf(max)! + wholeDay;
  }
  if (typeof value !== 'string') return false;
  // Buffer.compare: by UTF-8 bytes, which is by code point; JavaScript's own order is by UTF-16 unit.
  const order = (bound: number | string): number =>
    Buffer.compare(Buffer.from(value), Buffer.from(String(bound)));
  return (min === undefined || order(min) >= 0) && (max === undefined || order(max) <= 0);
}
