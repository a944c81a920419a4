import type pg from 'pg';
import {
  missingFiles,
  modelFigures,
  type FileKey,
  type ModelFiguresRow,
} from '../../src/modules/media/embedding-models/sql/embedding-models.sql.js';
import { readAs } from './read-as.js';

const MISSING_SHOWN = 20;

/** The check "searchable items = embedded items" for one model, over all users. */
export interface EmbeddingCheck {
  id: number;
  model: string;
  state: 'building' | 'active' | 'retired';
  searchableFiles: number;
  embeddedFiles: number;
  missingFiles: number;
  /** The first of them. */
  missingFileIds: string[];
}

/** Runs the check as the system, which sees which files have vectors and nothing of their content. */
export function embeddingChecks(client: pg.ClientBase): Promise<EmbeddingCheck[]> {
  return readAs(client, 'app_system', async () => {
    const models = await client.query<Pick<EmbeddingCheck, 'id' | 'model' | 'state'>>(
      `SELECT id::integer AS id, provider || '/' || name || ' ' || version AS model, state FROM embedding_models ORDER BY id`,
    );
    const checks: EmbeddingCheck[] = [];
    for (const { id, model, state } of models.rows) {
      const figures = modelFigures(id);
      const missing = missingFiles(id, MISSING_SHOWN);
      const counted = await client.query<ModelFiguresRow>(figures.text, figures.values);
      const files = await client.query<FileKey>(missing.text, missing.values);
      const { searchableFiles = 0, embeddedFiles = 0 } = counted.rows[0] ?? {};
      checks.push({
        ...{ id, model, state, searchableFiles, embeddedFiles },
        missingFiles: searchableFiles - embeddedFiles,
        missingFileIds: files.rows.map(({ mediaFileId }) => mediaFileId),
      });
    }
    return checks;
  });
}

/** One line per model, and the ids of files that lack vectors. */
export function formatEmbeddingChecks(checks: readonly EmbeddingCheck[]): string {
  return [
    'Searchable files = embedded files, per embedding model',
    ...checks.flatMap((check) => [
      `  ${`${check.id} ${check.model}`.padEnd(48)} ${check.state.padEnd(9)} ${check.embeddedFiles} of ${check.searchableFiles}` +
        (check.missingFiles > 0 ? `, ${check.missingFiles} missing` : ''),
      ...check.missingFileIds.map((id) => `    ${id}`),
    ]),
  ].join('\n');
}
