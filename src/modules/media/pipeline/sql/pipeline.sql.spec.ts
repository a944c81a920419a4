import type { Prisma } from '../../../../infrastructure/database/generated/client.js';
import { deleteEmbeddings, insertEmbeddings } from './embeddings.sql.js';
import {
  lockMedia,
  projectLabels,
  projectVisualSummary,
  replaceKeyframeBytes,
  setThumbnail,
} from './projection.sql.js';
import { insertTranscriptSegments } from './transcript.sql.js';

const key = { userId: 'user', mediaFileId: 'media' };
const row = {
  id: 'row',
  analysisId: null,
  segmentType: 'audio',
  startSeconds: 1,
  endSeconds: 2,
  isPrimary: false,
  confidence: null,
  quality: 'high',
  text: "it's",
  sourceFields: { fields: ['transcript'] },
  vector: Buffer.from('vector'),
};

/** So that a review sees when a query changes. */
it.each<[string, Prisma.Sql]>([
  ['lockMedia', lockMedia(key)],
  ['projectLabels', projectLabels(key, 'keyword')],
  ['projectVisualSummary', projectVisualSummary(key, 'A summary.')],
  ['setThumbnail', setThumbnail(key, { key: 'thumbnail', sizeBytes: 10 })],
  ['replaceKeyframeBytes', replaceKeyframeBytes(key, 10)],
  [
    'insertTranscriptSegments',
    insertTranscriptSegments({ ...key, source: 'sidecar' }, [
      { id: 'cue', startSeconds: 0, endSeconds: 1, text: "it's" },
    ]),
  ],
  ['deleteEmbeddings', deleteEmbeddings({ ...key, modelId: 1 })],
  ['insertEmbeddings', insertEmbeddings({ ...key, modelId: 1 }, [row, row])],
])('%s', (_, sql) => {
  expect(sql.text.replace(/\n\s+/g, '\n')).toMatchSnapshot();
  // Values are bound, never printed.
  expect(sql.text).not.toMatch(/user'|media'|it's/);
  expect(sql.values.length).toBeGreaterThan(0);
});
