import type { MediaFilter } from '../media/filter/media-filter.types.js';

/** The filter of a request, checked where it came in; none is an empty one. */
export const toMediaFilter = (filter: MediaFilter | null | undefined): MediaFilter => filter ?? {};
