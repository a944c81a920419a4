import { createValidationPipe } from '../../infrastructure/http/validation.js';
import { SearchRequest } from './dto/search.request.js';
import { toSearchRequest, toStoredSearch } from './stored-search.js';

const check = async (body: object): Promise<SearchRequest> =>
  (await createValidationPipe().transform(body, {
    type: 'body',
    metatype: SearchRequest,
  })) as SearchRequest;

it('stores a search without what belongs to one call, and reads it back the same', async () => {
  const sent = {
    query: '  dog -cat ',
    mode: 'hybrid',
    alpha: 0.25,
    filter: { fileType: 'image', tags: { any: ['a'] }, uploadedFrom: '2026-01-01' },
    in: ['title', 'speech'],
    minScore: 0.1,
  };
  const call = { limit: 7, cursor: 'c', sessionId: '0190a1c4-0000-7000-8000-000000000001' };
  const request = await check({ ...sent, ...call });
  const stored = toStoredSearch(request);
  // Filters are stored as they were read: a day is its first moment in UTC.
  const filter = { ...sent.filter, uploadedFrom: '2026-01-01T00:00:00.000Z' };
  expect(stored).toEqual({ ...sent, query: 'dog -cat', filter });
  const restored = await toSearchRequest(stored);
  expect(restored).toBeInstanceOf(SearchRequest);
  expect(toStoredSearch(restored)).toEqual(stored);
  expect(restored.limit).toBeUndefined();
});

it.each([
  [{ query: 'dog', mode: 'telepathy' }, '/search/mode'],
  [{ query: 'dog', filter: { fileType: 'hologram' } }, '/search/filter/fileType'],
  [{ query: 'dog', abolished: true }, '/search/abolished'],
  [{}, '/search/query'],
])('says which field of %j is out of date', async (stored, pointer) => {
  await expect(toSearchRequest(stored)).rejects.toMatchObject({
    status: 409,
    code: 'saved-search-outdated',
    extra: { errors: expect.arrayContaining([expect.objectContaining({ pointer })]) },
  });
});
