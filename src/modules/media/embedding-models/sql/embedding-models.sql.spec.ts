import {
  cancelReindexJobs,
  deleteVectors,
  estimateFacts,
  hasVectors,
  lockModels,
  lockReindex,
  missingFiles,
  modelFigures,
  openReindexJobs,
  reindexCandidates,
} from './embedding-models.sql.js';

const FILE = {
  userId: '00000000-0000-7000-8000-000000000001',
  mediaFileId: '00000000-0000-7000-8000-000000000002',
};
const requestedAt = new Date('2026-11-26T00:00:00Z');

/** So that a review sees what a change does to the statements that are sent. */
it.each([
  ['lockModels shared', lockModels('shared')],
  ['lockModels exclusive', lockModels('exclusive')],
  ['lockReindex', lockReindex()],
  ['modelFigures', modelFigures(2)],
  ['missingFiles', missingFiles(2, 20)],
  ['estimateFacts', estimateFacts(2)],
  ['hasVectors', hasVectors(FILE, 2)],
  ['openReindexJobs', openReindexJobs()],
  ['reindexCandidates, first', reindexCandidates({ modelId: 2, requestedAt, after: null, limit: 40 })],
  ['reindexCandidates, next', reindexCandidates({ modelId: 2, requestedAt, after: FILE, limit: 40 })],
  ['cancelReindexJobs', cancelReindexJobs(2)],
  ['deleteVectors', deleteVectors(2, 2_000)],
])('%s', (_name, query) => {
  expect(`${query.text.trim()}\n-- ${query.values.map(String).join(' | ')}`).toMatchSnapshot();
});
