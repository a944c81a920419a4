import { toUtc } from './dto/clean-text.decorator.js';
import type { SearchFilter } from './dto/search.request.js';
import type { MediaFilter } from './sql/restriction.sql.js';

/** A checked filter as the SQL takes it: null and absent are the same, times are UTC. */
export function toMediaFilter(filter: SearchFilter | null | undefined): MediaFilter {
  if (!filter) return {};
  const time = (value: string | null | undefined): string | undefined =>
    value ? (toUtc(value) ?? undefined) : undefined;
  return {
    fileType: filter.fileType ?? undefined,
    uploadedFrom: time(filter.uploadedFrom),
    uploadedTo: time(filter.uploadedTo),
    takenFrom: time(filter.takenFrom),
    takenTo: time(filter.takenTo),
    tags: filter.tags
      ? {
          any: filter.tags.any ?? undefined,
          all: filter.tags.all ?? undefined,
          none: filter.tags.none ?? undefined,
        }
      : undefined,
    categories: filter.categories ?? undefined,
    labels: filter.labels?.map(({ name, minConfidence }) => ({
      name,
      minConfidence: minConfidence ?? undefined,
    })),
    isPrivate: filter.isPrivate ?? undefined,
    includePrivate: filter.includePrivate ?? undefined,
  };
}
