/** Files that one run looks at; 16 KB of ids. A result that is longer says so. */
export const MAX_RUN_MEDIA = 1_000;
/** Files that are remembered: those of two runs, because runs at once are put together. */
export const MAX_SEEN_MEDIA = 2 * MAX_RUN_MEDIA;

/** What a saved search remembers of its last run. */
export interface LastRun {
  /** null before the first run. */
  lastRunAt: Date | null;
  seenMediaIds: string[];
  /** The run found more files than it looked at. */
  seenIsCapped: boolean;
  /** Runs stored so far. */
  runCount: number;
}

/** What a run found. */
export interface Run {
  /** Best first. */
  mediaFileIds: string[];
  isCapped: boolean;
  /** Only words were searched: files may be missing from the result that a complete run would find. */
  isDegraded: boolean;
  /** LastRun.runCount as it was before the search began. */
  basedOn: number;
}

export interface News {
  /** The run that was compared with; null for a first one, which has nothing to compare with. */
  since: Date | null;
  newMediaIds: string[];
  isCapped: boolean;
  /** What to remember from now on; null = as before. */
  seen: { mediaFileIds: string[]; isCapped: boolean } | null;
}

/**
 * What is new in a run: in its result and not in the last run's. The run then takes the last one's place, except that
 * - of runs at once, each of which began before the other was stored, the later one is put together with the earlier:
 *   so a file is reported by one of them and not by both, nor again by the next;
 * - a degraded run adds what it found and takes nothing away: otherwise all that is found by meaning would be new again
 *   as soon as the provider is back. As a first run it is not remembered.
 */
export function compareRuns(last: LastRun, run: Run): News {
  const found = run.mediaFileIds.slice(0, MAX_RUN_MEDIA);
  const isCapped = run.isCapped || found.length < run.mediaFileIds.length;
  if (last.lastRunAt === null) {
    return {
      since: null,
      newMediaIds: [],
      isCapped,
      seen: run.isDegraded ? null : { mediaFileIds: found, isCapped },
    };
  }
  const known = new Set(last.seenMediaIds);
  const isPutTogether = run.isDegraded || run.basedOn !== last.runCount;
  const all = isPutTogether ? [...new Set([...found, ...last.seenMediaIds])] : found;
  return {
    since: last.lastRunAt,
    newMediaIds: found.filter((id) => !known.has(id)),
    isCapped: isCapped || last.seenIsCapped,
    seen: {
      mediaFileIds: all.slice(0, MAX_SEEN_MEDIA),
      isCapped: isCapped || (isPutTogether && (last.seenIsCapped || all.length > MAX_SEEN_MEDIA)),
    },
  };
}
