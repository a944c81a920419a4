import type { MediaListQuery } from '../dto/media.requests.js';
import type { MediaFilter } from './media-filter.types.js';

type ListParameters = Pick<
  MediaListQuery,
  | 'fileType'
  | 'status'
  | 'tag'
  | 'category'
  | 'label'
  | 'isPrivate'
  | 'uploadedFrom'
  | 'uploadedTo'
  | 'takenFrom'
  | 'takenTo'
  | 'filter'
>;

/** The parameters of a list and its filter in one grammar: both must hold. */
export function listFilter(parameters: ListParameters): MediaFilter {
  const { tag, category, label, filter, fileType, status, isPrivate } = parameters;
  const { uploadedFrom, uploadedTo, takenFrom, takenTo } = parameters;
  const simple: MediaFilter = withoutUndefined({
    fileType,
    status,
    uploadedFrom,
    uploadedTo,
    takenFrom,
    takenTo,
    tags: tag?.length ? { all: tag } : undefined,
    categories: category === undefined ? undefined : [category],
    labels: label === undefined ? undefined : [{ name: label }],
    isPrivate,
  });
  if (!filter) return simple;
  const { includePrivate, ...rest } = filter;
  return withoutUndefined({ ...simple, and: [rest], includePrivate });
}

/** So that absent and undefined give the same fingerprint in a cursor. */
function withoutUndefined(filter: MediaFilter): MediaFilter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined && value !== null),
  );
}
