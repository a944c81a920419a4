import type { FILE_TYPES, MediaStatus, Sentiment } from '../dto/media.response.js';

export const ORIENTATIONS = ['landscape', 'portrait', 'square'] as const;
export type Orientation = (typeof ORIENTATIONS)[number];

/** Groups within groups; one level more is refused. */
export const MAX_GROUP_DEPTH = 3;
/** Every condition is a part of the query: this bounds its text and the time to plan it. */
export const MAX_CONDITIONS = 100;

/** Both ends belong to it. */
export interface NumberRange {
  min?: number;
  max?: number;
}

/** Names in any case: at least one of `any`, each of `all`, not one of `none`. An empty list filters nothing. */
export interface NameSets {
  any?: string[];
  all?: string[];
  none?: string[];
}

/**
 * Values at a path of the owner's JSON. Both ends belong to it and are of one kind: numbers are compared with numbers;
 * dates and times (ISO 8601) with dates and times, as moments, a date alone being midnight UTC as a value and the whole
 * day as `max`; other text with text, by code point. A value of another kind is out.
 */
export interface MetadataRange {
  /** Keys from the outside to the inside; in a list the index, `0` first. */
  path: string[];
  min?: number | string;
  max?: number | string;
}

export interface CustomMetadataFilter {
  /** JSON that the file's must contain, as PostgreSQL's `@>` says it. */
  contains?: Record<string, unknown>;
  /** Each must fit. */
  ranges?: MetadataRange[];
  /** Paths, each of which must be there, be its value null. */
  exists?: string[][];
}

/**
 * The one grammar of lists, searches and saved searches: all fields present must hold. Field names are those of the
 * media responses. What is not known of a file (null) fits no condition on it, so `not` lets it pass. Dates are ISO
 * 8601 UTC; lower bounds inclusive, upper ones not.
 */
export interface MediaFilter {
  fileType?: (typeof FILE_TYPES)[number];
  /** One of these. */
  status?: MediaStatus | MediaStatus[];
  uploadedFrom?: string;
  uploadedTo?: string;
  takenFrom?: string;
  takenTo?: string;
  durationSeconds?: NumberRange;
  fileSizeBytes?: NumberRange;
  width?: NumberRange;
  height?: NumberRange;
  facesCount?: NumberRange;
  /** One of these; of the upright picture. */
  orientation?: Orientation | Orientation[];
  tags?: NameSets;
  /** A list means `any`. */
  categories?: string[] | NameSets;
  /** Each must fit. */
  labels?: { name: string; minConfidence?: number }[];
  /** One of these. */
  sentiment?: Sentiment | Sentiment[];
  /** `isEmpty: true` = no warning at all; false = at least one. */
  contentWarnings?: NameSets & { isEmpty?: boolean };
  /** Each must fit: among the dominant colours under exactly this name, with at least this share of the picture. */
  colors?: { name: string; minShare?: number }[];
  /** true = private files only, false = none of them. */
  isPrivate?: boolean;
  /**
   * Top level only. C60: a search leaves private files out unless this is true or the filter names isPrivate anywhere;
   * a list shows them unless this is false.
   */
  includePrivate?: boolean;
  customMetadata?: CustomMetadataFilter;
  /** Something was said or came with subtitles. */
  hasTranscript?: boolean;
  /** Text was read in the picture. */
  hasText?: boolean;
  /** Each must hold. */
  and?: MediaFilter[];
  /** At least one must hold; an empty list filters nothing. */
  or?: MediaFilter[];
  /** Must not hold. */
  not?: MediaFilter;
}
