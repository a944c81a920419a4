import { AppError, errors, type FieldFault } from '../../infrastructure/errors/app-error.js';
import { createValidationPipe } from '../../infrastructure/http/validation.js';
import { SearchRequest } from './dto/search.request.js';

/** What belongs to one call of a search and not to the search. */
const CALL_FIELDS = ['limit', 'cursor', 'sessionId'] as const satisfies readonly (keyof SearchRequest)[];

const pipe = createValidationPipe();

/** A checked request as it is stored: plain JSON, without what belongs to one call. */
export function toStoredSearch(request: SearchRequest): Record<string, unknown> {
  const stored = JSON.parse(JSON.stringify(request)) as Record<string, unknown>;
  for (const field of CALL_FIELDS) delete stored[field];
  return stored;
}

/**
 * A stored search as a request, checked by the rules of today.
 * @param refusal what to say when it breaks them
 * @throws AppError the refusal; without one 409 `saved-search-outdated`, with pointers below /search
 */
export async function toSearchRequest(
  stored: unknown,
  refusal: (faults: FieldFault[]) => AppError = outdated,
): Promise<SearchRequest> {
  try {
    return (await pipe.transform(stored, { type: 'body', metatype: SearchRequest })) as SearchRequest;
  } catch (error) {
    throw error instanceof AppError ? refusal(error.extra.errors ?? []) : error;
  }
}

/** The stored search is refused as it stands: the caller's request was in order, the search must be saved anew. */
export function outdated(faults: FieldFault[]): AppError {
  return errors.conflict(
    'saved-search-outdated',
    'This search was saved under earlier rules and is not valid any more. Save it again with the fields named in "errors" corrected.',
    belowSearch(faults),
  );
}

/** The same faults of a search that stands in the field `search` of a body. */
export function belowSearch(faults: FieldFault[]): FieldFault[] {
  return faults.map((fault) => ({ ...fault, pointer: `/search${fault.pointer}` }));
}
