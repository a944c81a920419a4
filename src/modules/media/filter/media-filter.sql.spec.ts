import { Prisma } from '../../../infrastructure/database/generated/client.js';
import { decidesPrivacy, filterClauses, filterConditions } from './media-filter.sql.js';
import type { MediaFilter } from './media-filter.types.js';

const userId = '018f0000-0000-7000-8000-000000000001';
const HOSTILE = "'; DROP TABLE users; --";

const EVERY_FIELD: MediaFilter = {
  fileType: 'image',
  status: ['completed'],
  uploadedFrom: '2026-01-01T00:00:00.000Z',
  uploadedTo: '2026-02-01T00:00:00.000Z',
  takenFrom: '2025-01-01T00:00:00.000Z',
  takenTo: '2025-02-01T00:00:00.000Z',
  durationSeconds: { min: 1, max: 2 },
  fileSizeBytes: { min: 1 },
  width: { max: 1 },
  height: { min: 1, max: 2 },
  facesCount: { min: 1 },
  orientation: ['landscape', 'square'],
  tags: { any: [HOSTILE], all: [HOSTILE], none: [HOSTILE] },
  categories: { any: [HOSTILE], all: [HOSTILE] },
  labels: [{ name: HOSTILE, minConfidence: 0.5 }, { name: 'b' }],
  sentiment: 'POSITIVE',
  contentWarnings: { any: [HOSTILE], all: [HOSTILE], none: [HOSTILE], isEmpty: false },
  colors: [{ name: 'blue', minShare: 0.5 }],
  isPrivate: true,
  customMetadata: {
    contains: { a: HOSTILE },
    ranges: [
      { path: [HOSTILE], min: 1, max: 2 },
      { path: ['a'], min: '2026-01-01', max: '2026-01-31' },
      { path: ['a'], min: HOSTILE },
    ],
    exists: [['a', 'b']],
  },
  hasTranscript: true,
  hasText: false,
  and: [{ fileType: 'image' }, { hasTranscript: false, hasText: true }],
  or: [{ fileType: 'video' }, {}, { not: { isPrivate: true } }],
  not: { fileType: 'image', contentWarnings: { isEmpty: true } },
};

it('prints every field as one clause with its pointer', () => {
  const clauses = filterClauses(userId, EVERY_FIELD);
  expect(
    clauses.map(({ pointer, condition }) => `${pointer}\n${condition.text}`).join('\n\n'),
  ).toMatchSnapshot();
  expect(new Set(clauses.map(({ pointer }) => pointer)).size).toBe(clauses.length);
});

it('holds no text of the caller: every value is a parameter', () => {
  const sql = Prisma.join(filterConditions(userId, EVERY_FIELD), ' AND ');
  expect(sql.text).not.toContain('DROP');
  expect(JSON.stringify(sql.values)).toContain('DROP');
});

it('has no clause for what filters nothing', () => {
  expect(
    filterClauses(userId, {
      tags: { any: [], all: [], none: [] },
      categories: [],
      labels: [],
      status: [],
      width: {},
      customMetadata: {},
      contentWarnings: {},
      includePrivate: true,
      and: [{}],
      or: [],
    }),
  ).toEqual([]);
});

it.each<[MediaFilter, boolean]>([
  [{}, false],
  [{ includePrivate: false }, false],
  [{ includePrivate: true }, true],
  [{ isPrivate: false }, true],
  [{ or: [{ fileType: 'image' }, { and: [{ isPrivate: true }] }] }, true],
  [{ not: { isPrivate: true } }, true],
  [{ or: [{ fileType: 'image' }] }, false],
])('%j: the filter itself decides on private files: %s', (filter, expected) => {
  expect(decidesPrivacy(filter)).toBe(expected);
});
