import { FacetsResponse } from './dto/facets.response.js';
import { toFacets } from './facets.js';
import { DURATION_BUCKETS, FACETS, facetsQuery, SIZE_BUCKETS } from './sql/facets.sql.js';
import { Prisma } from '../../infrastructure/database/generated/client.js';

const userId = '0190a1c4-0000-7000-8000-000000000001';
const source = Prisma.sql`SELECT 'x'::uuid AS media_file_id`;

it('gives every facet asked, the empty ones too, and no other', () => {
  expect(
    toFacets(
      ['tags', 'sentiment'],
      [
        { facet: 'tags', value: 'Sea', count: 3, more: 4 },
        { facet: 'tags', value: 'Ice', count: 1, more: 4 },
        { facet: 'status', value: 'completed', count: 3, more: 0 },
      ],
    ),
  ).toEqual({
    tags: {
      values: [
        { value: 'Sea', count: 3 },
        { value: 'Ice', count: 1 },
      ],
      more: 4,
    },
    sentiment: { values: [], more: 0 },
  });
});

it('has a documented place in the response for each facet', () => {
  const documented: unknown = Reflect.getMetadata(
    'swagger/apiModelPropertiesArray',
    FacetsResponse.prototype as object,
  );
  expect(documented).toEqual(FACETS.map((facet) => `:${facet}`));
});

it.each([DURATION_BUCKETS, SIZE_BUCKETS])('buckets rise and leave no gap', (...buckets) => {
  const bounds = buckets.map(({ below }) => below);
  expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b));
  expect(bounds.at(-1)).toBe(Infinity);
  expect(new Set(buckets.map(({ value }) => value)).size).toBe(buckets.length);
});

describe('printed SQL', () => {
  it.each([
    ['every facet', FACETS],
    ['names alone', ['labels'] as const],
    ['a column alone', ['year'] as const],
  ])('%s', (_name, facets) => {
    expect(facetsQuery({ userId, facets, source, perFacet: 20 }).text).toMatchSnapshot();
  });

  it('does not depend on the order or number of times that a facet is asked', () => {
    const text = (facets: Parameters<typeof facetsQuery>[0]['facets']): string =>
      facetsQuery({ userId, facets, source, perFacet: 20 }).text;
    expect(text(['tags', 'year', 'tags'])).toBe(text(['year', 'tags']));
  });

  it('refuses to count nothing', () => {
    expect(() => facetsQuery({ userId, facets: [], source, perFacet: 20 })).toThrow(RangeError);
  });
});
