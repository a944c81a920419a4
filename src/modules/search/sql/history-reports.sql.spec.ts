import type { Prisma } from '../../../infrastructure/database/generated/client.js';
import { queryFigures, searchesByDay, searchesByMode, searchTotals } from './analytics.sql.js';
import { deleteQueryVectors, keepQueryVector, keptQueryVector } from './query-vectors.sql.js';
import { anonymizeSearches, deleteOldSearches, deleteUnusedQueryVectors } from './retention.sql.js';
import { lockOwner, lockSavedSearch } from './saved-searches.sql.js';

const userId = '0190a1c4-0000-7000-8000-000000000001';
const id = '0190a1c4-0000-7000-8000-000000000002';
const own = { userId, days: 30 };
const everybody = { userId: null, days: 30 };
const key = { userId, model: { provider: 'p', name: 'n', version: 'v1' }, hash: 'ab' };

const REPORTS_OF_EVERYBODY: [string, Prisma.Sql][] = [
  ['by day, all users', searchesByDay(everybody)],
  ['totals, all users', searchTotals(everybody)],
  ['by mode, all users', searchesByMode(everybody)],
];

describe('printed SQL', () => {
  it.each<[string, Prisma.Sql]>([
    ['by day', searchesByDay(own)],
    ['totals', searchTotals(own)],
    ['by mode', searchesByMode(own)],
    ['busiest queries', queryFigures({ ...own, by: 'searches', limit: 10 })],
    ['zero-result queries', queryFigures({ ...own, by: 'zero-results', limit: 10 })],
    ...REPORTS_OF_EVERYBODY,
    ['retention: anonymize', anonymizeSearches({ days: 90, limit: 5000 })],
    ['retention: delete', deleteOldSearches({ days: 366, limit: 5000 })],
    ['retention: query vectors', deleteUnusedQueryVectors({ days: 90 })],
    ['query vector: find', keptQueryVector(key)],
    ['query vector: keep', keepQueryVector({ ...key, vector: '[1,0]' })],
    ['query vector: clear', deleteQueryVectors({ userId })],
    ['saved search: lock the owner', lockOwner({ userId })],
    ['saved search: lock', lockSavedSearch({ userId, id })],
  ])('%s', (_name, sql) => {
    expect(sql.text).toMatchSnapshot();
  });

  it.each(REPORTS_OF_EVERYBODY)('C49: %s reads no query, filter, result or address', (_name, sql) => {
    expect(sql.text).not.toMatch(/query_text|filters|shown_results|clicked_results|ip_address|user_agent/);
  });
});
