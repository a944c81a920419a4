import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DATASET_DIR = fileURLToPath(new URL('.', import.meta.url));

/** One file of the library, as it is known after its analysis. */
export interface LibraryItem {
  id: string;
  /** The file's name; .mp4 and .mov are videos. */
  file: string;
  /** Absent: made from the file's name, as for an upload without a title. */
  title?: string;
  /** Day, UTC. */
  takenAt: string;
  tags: string[];
  categories: string[];
  /** Name -> confidence, 0..1. */
  labels: Record<string, number>;
  summary: string;
  detectedText?: string[];
  /** ISO 639-1; absent: English, or not known. */
  language?: string;
  isPrivate?: boolean;
  durationSeconds?: number;
  /** Start and end in seconds, text. */
  cues?: [number, number, string][];
  /** Seconds, description. */
  keyframes?: [number, string][];
}

/** What a query tests. */
export const KINDS = [
  'words',
  'meaning',
  'typo',
  'text-in-picture',
  'speech',
  'filter',
  'negation',
  'phrase',
  'other-language',
  'no-answer',
] as const;
export type QueryKind = (typeof KINDS)[number];

/** The filters that the queries use, as in the body of POST /v1/search. */
export interface QueryFilter {
  fileType?: 'image' | 'video';
  takenFrom?: string;
  takenTo?: string;
  tags?: { any?: string[]; all?: string[]; none?: string[] };
  categories?: string[];
  labels?: { name: string }[];
  includePrivate?: boolean;
}

export interface JudgedQuery {
  kind: QueryKind;
  query: string;
  filter?: QueryFilter;
  /** Words that the answers must not hold, for queries that exclude something. */
  mustNotSay?: string[];
  /** Item id -> 1 (related), 2 (good) or 3 (exactly it); every other item is 0. */
  judgements: Record<string, number>;
}

export interface Dataset {
  items: LibraryItem[];
  queries: JudgedQuery[];
}

export const isVideo = (item: LibraryItem): boolean => /\.(mp4|mov)$/i.test(item.file);

/** Reads items/ and queries/ in the order of their names; a query's kind is the name of its file. */
export async function loadDataset(): Promise<Dataset> {
  const items = (await readFolder<LibraryItem>('items')).map(({ row }) => row);
  const queries = (await readFolder<Omit<JudgedQuery, 'kind'>>('queries')).map(({ name, row }) => ({
    kind: name as QueryKind,
    ...row,
  }));
  return { items, queries };
}

async function readFolder<T>(folder: string): Promise<{ name: string; row: T }[]> {
  const names = (await readdir(path.join(DATASET_DIR, folder))).filter((name) => name.endsWith('.jsonl'));
  const rows: { name: string; row: T }[] = [];
  for (const name of names.sort()) {
    const lines = (await readFile(path.join(DATASET_DIR, folder, name), 'utf8')).split('\n');
    for (const [index, line] of lines.entries()) {
      if (line.trim() === '') continue;
      try {
        rows.push({ name: path.basename(name, '.jsonl'), row: JSON.parse(line) as T });
      } catch (error) {
        throw new Error(`${folder}/${name} line ${index + 1} is no JSON`, { cause: error });
      }
    }
  }
  return rows;
}

/**
 * What is wrong with the data, one sentence each: doubled ids and queries, unknown kinds and items, grades that do not
 * exist, and answers that break their own query's conditions.
 */
export function faultsOf({ items, queries }: Dataset): string[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const faults: string[] = [];
  for (const [index, { id }] of items.entries()) {
    if (items.findIndex((item) => item.id === id) !== index) faults.push(`two items are called ${id}`);
  }
  const asked = new Set<string>();
  for (const query of queries) {
    const name = `${query.kind} "${query.query}"`;
    const key = `${query.query}\n${JSON.stringify(query.filter)}`;
    if (asked.has(key)) faults.push(`${name} is asked twice`);
    asked.add(key);
    if (!KINDS.includes(query.kind)) faults.push(`${query.kind} is no kind of query`);
    const judged = Object.entries(query.judgements);
    if ((query.kind === 'no-answer') !== (judged.length === 0)) {
      faults.push(`${name}: no-answer queries have no judgements, all others have some`);
    }
    for (const [id, grade] of judged) {
      const item = byId.get(id);
      if (!item) faults.push(`${name}: there is no item ${id}`);
      else if (violates(item, query)) faults.push(`${name}: ${id} breaks the query's own condition`);
      if (![1, 2, 3].includes(grade)) faults.push(`${name}: ${grade} is no grade`);
    }
  }
  return faults;
}

/**
 * Does the item break what the query demands: its filter, or words it must not hold? Written from the meaning of the
 * filters and not from the product's SQL, so that it can contradict it.
 */
export function violates(item: LibraryItem, query: Pick<JudgedQuery, 'filter' | 'mustNotSay'>): boolean {
  return !fits(item, query.filter ?? {}) || says(item, query.mustNotSay ?? []);
}

function fits(item: LibraryItem, filter: QueryFilter): boolean {
  const tags = item.tags.map((tag) => tag.toLowerCase());
  const hasTag = (name: string): boolean => tags.includes(name.toLowerCase());
  return (
    (!item.isPrivate || filter.includePrivate === true) &&
    (filter.fileType === undefined || (filter.fileType === 'video') === isVideo(item)) &&
    (filter.takenFrom === undefined || item.takenAt >= filter.takenFrom) &&
    (filter.takenTo === undefined || item.takenAt < filter.takenTo) &&
    (filter.tags?.any === undefined || filter.tags.any.some(hasTag)) &&
    (filter.tags?.all ?? []).every(hasTag) &&
    !(filter.tags?.none ?? []).some(hasTag) &&
    (filter.categories === undefined || filter.categories.some((name) => item.categories.includes(name))) &&
    (filter.labels ?? []).every(({ name }) => name in item.labels)
  );
}

function says(item: LibraryItem, words: readonly string[]): boolean {
  const text = [
    item.title ?? '',
    item.file,
    ...item.tags,
    ...item.categories,
    ...Object.keys(item.labels),
    item.summary,
    ...(item.detectedText ?? []),
    ...(item.cues ?? []).map(([, , line]) => line),
  ].join(' ');
  const held = new Set(text.toLowerCase().split(/[^\p{L}\p{N}]+/u));
  return words.some((word) => held.has(word));
}
