import type { EmbeddingModel as ModelRow } from '../../../infrastructure/database/generated/client.js';
import type { EmbeddingModelResponse } from './dto/embedding-models.dto.js';
import type { ModelState } from './embedding-models.types.js';
import type { FileKey, ModelFiguresRow } from './sql/embedding-models.sql.js';

/** A model as administrators see it. `missing`: the first files that lack vectors of it. */
export function toModelResponse(
  row: ModelRow,
  figures: ModelFiguresRow,
  missing: readonly FileKey[],
  isServable: boolean,
): EmbeddingModelResponse {
  const { searchableFiles, embeddedFiles } = figures;
  const missingFiles = searchableFiles - embeddedFiles;
  const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    id: row.id,
    provider: row.provider,
    name: row.name,
    version: row.version,
    dimensions: row.dimensions,
    state: row.state as ModelState,
    isServable,
    isComplete: missingFiles === 0,
    searchableFiles,
    embeddedFiles,
    missingFiles,
    missingFileIds: missing.map(({ mediaFileId }) => mediaFileId),
    failedFiles: figures.failedFiles,
    openJobs: figures.openJobs,
    segments: figures.segments,
    // Never 100 before it is complete.
    progressPercentage: searchableFiles === 0 ? 100 : Math.floor((100 * embeddedFiles) / searchableFiles),
    createdAt: row.createdAt.toISOString(),
    activatedAt: iso(row.activatedAt),
    retiredAt: iso(row.retiredAt),
    fedUntil: iso(row.fedUntil),
    reindexRequestedAt: iso(row.reindexRequestedAt),
    dropRequestedAt: iso(row.dropRequestedAt),
  };
}
