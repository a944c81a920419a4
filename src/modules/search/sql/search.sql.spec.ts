import { lockSearch, noteShownPage, refreshClicks } from './history.sql.js';
import { vectorMomentsQuery, wordHitsQuery, wordMomentsQuery } from './page-details.sql.js';
import { restrictionOf, type MediaFilter } from './restriction.sql.js';
import { planFactsQuery, searchQuery } from './search.sql.js';
import {
  nearDuplicatesQuery,
  nearestMomentsQuery,
  partSimilaritiesQuery,
  partSourcesQuery,
  similarSourceQuery,
} from './similar.sql.js';
import { suggestionsQuery } from './suggestions.sql.js';
import { similaritySampleQuery, vectorRangeQuery } from './similarity-sample.sql.js';
import { sortedMediaQuery } from './sorted-media.sql.js';
import type { TextLegInput, Zone } from './text-leg.sql.js';
import type { VectorPlan } from './vector-leg.sql.js';

const userId = '0190a1c4-0000-7000-8000-000000000001';
const mediaFileId = '0190a1c4-0000-7000-8000-000000000002';
const searchedAt = new Date('2026-11-21T10:00:00Z');

const vector = (plan: VectorPlan) => ({
  userId,
  modelId: 1,
  vector: '[1,0]',
  plan,
  candidates: 400,
  floor: 0.1,
  segmentTypes: null,
});
const text = (zones: Zone[] | null, match: TextLegInput['match'] = { terms: 'dog' }) => ({
  userId,
  match,
  zones,
  depth: 200,
});
const EVERY_FILTER: MediaFilter = {
  fileType: 'video',
  uploadedFrom: '2026-01-01T00:00:00.000Z',
  uploadedTo: '2026-02-01T00:00:00.000Z',
  takenFrom: '2025-01-01T00:00:00.000Z',
  takenTo: '2025-02-01T00:00:00.000Z',
  tags: { any: ['a', 'b'], all: ['c', 'd'], none: ['e'] },
  categories: ['nature'],
  labels: [{ name: 'dog', minConfidence: 0.5 }],
};

/** The printed queries are reviewed like code: a change of them shows in the committed snapshot. */
describe('printed SQL', () => {
  const plain = restrictionOf(userId, {});
  it.each([
    ['hybrid, exact', searchQuery({ restriction: plain, vector: vector('exact'), text: text(null) })],
    ['semantic, two-stage', searchQuery({ restriction: plain, vector: vector('two-stage'), text: null })],
    ['semantic, graph', searchQuery({ restriction: plain, vector: vector('graph'), text: null })],
    [
      'semantic, everything',
      searchQuery({ restriction: plain, vector: { ...vector('exact'), candidates: null }, text: null }),
    ],
    ['text', searchQuery({ restriction: plain, vector: null, text: text(null) })],
    [
      'text in title and speech',
      searchQuery({ restriction: plain, vector: null, text: text(['title', 'speech']) }),
    ],
    [
      'any word in speech',
      searchQuery({ restriction: plain, vector: null, text: text(['speech'], { words: ['dog', 'barks'] }) }),
    ],
    [
      'every filter, exclusion, demand, any word',
      searchQuery({
        restriction: restrictionOf(userId, EVERY_FILTER, { excluded: 'cat', demanded: '"hot dog"' }),
        vector: { ...vector('two-stage'), segmentTypes: ['audio'] },
        text: text(null, { words: ['dog', '"hot dog"'] }),
      }),
    ],
    [
      'plan facts',
      planFactsQuery({ userId, model: { provider: 'p', name: 'n', version: 'v1' }, countUpTo: 2001 }),
    ],
    ['cut-off: range', vectorRangeQuery({ userId, modelId: 1 })],
    [
      'cut-off: sample',
      similaritySampleQuery({ userId, modelId: 1, probes: [mediaFileId], vector: '[1,0]' }),
    ],
    [
      'sorted',
      sortedMediaQuery({ userId, mediaFileIds: [mediaFileId], sort: 'takenAt', order: 'asc', limit: 21 }),
    ],
    ['word hits', wordHitsQuery({ userId, mediaFileIds: [mediaFileId], terms: 'dog' })],
    ['word moments', wordMomentsQuery({ userId, mediaFileIds: [mediaFileId], terms: 'dog' })],
    [
      'vector moments',
      vectorMomentsQuery({ userId, mediaFileIds: [mediaFileId], modelId: 1, vector: '[1,0]', floor: 0.1 }),
    ],
    ['similar: source', similarSourceQuery({ userId, mediaFileId, modelId: 1 })],
    [
      'similar: near duplicates',
      nearDuplicatesQuery({
        userId,
        mediaFileId,
        perceptualHash: '00ff00ff00ff00ff',
        maxDistance: 10,
        fileHash: null,
        includePrivate: false,
        limit: 20,
      }),
    ],
    [
      'similar: near duplicates of a picture that is not stored',
      nearDuplicatesQuery({
        userId,
        mediaFileId: null,
        perceptualHash: '00ff00ff00ff00ff',
        maxDistance: 10,
        fileHash: '0'.repeat(64),
        includePrivate: true,
        limit: 20,
      }),
    ],
    ['similar: sources of parts', partSourcesQuery({ userId, mediaFileIds: [mediaFileId], modelId: 1 })],
    [
      'similar: nearest moments',
      nearestMomentsQuery({ userId, mediaFileIds: [mediaFileId], modelId: 1, vector: '[1,0]', floor: 0.1 }),
    ],
    [
      'similar: similarities to parts',
      partSimilaritiesQuery({
        userId,
        mediaFileIds: [mediaFileId],
        modelId: 1,
        vector: '[1,0]',
        parts: ['[1,0]', '[0,1]'],
      }),
    ],
    ['suggestions', suggestionsQuery({ userId, prefix: 'be', perKind: 10 })],
    [
      'history: append',
      noteShownPage({ userId, searchId: mediaFileId, searchedAt, before: 20, mediaFileIds: [mediaFileId] }),
    ],
    ['history: lock', lockSearch({ userId, searchId: mediaFileId })],
    ['history: clicks', refreshClicks({ userId, searchId: mediaFileId, searchedAt })],
  ])('%s', (_name, sql) => {
    expect(sql.text).toMatchSnapshot();
  });

  it('holds no text of the caller: every value is a parameter', () => {
    const hostile = "'; DROP TABLE users; --";
    const sql = searchQuery({
      restriction: restrictionOf(
        userId,
        { tags: { any: [hostile] }, categories: [hostile], labels: [{ name: hostile }] },
        { excluded: hostile, demanded: hostile },
      ),
      vector: vector('exact'),
      text: text(null, { words: [hostile] }),
    });
    expect(sql.text).not.toContain('DROP');
    expect(sql.values.flat().filter((value) => value === hostile)).toHaveLength(6);
  });
});
