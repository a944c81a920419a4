import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { encodeHalfvecBinary, toStoredVector } from '../../../infrastructure/ai/vectors.js';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type { JobContext } from '../../jobs/jobs.types.js';
import type { EmbeddingDocument } from './embedding-documents.js';
import { deleteEmbeddings, insertEmbeddings, type EmbeddingRow } from './sql/embeddings.sql.js';

/** Rows of one INSERT: about 300 KB of vectors. */
const ROWS_PER_STATEMENT = 100;

/** A document with the vector of its text, in the model's own number of dimensions. */
export interface EmbeddedDocument {
  document: EmbeddingDocument;
  vector: Float32Array;
}

/** Vectors of files (C03, C44, C45). */
@Injectable()
export class EmbeddingsRepository {
  /**
   * Replaces all vectors of the file that come from this model. Shorter vectors are padded to the stored length.
   * @throws InvalidVectorError for a vector that cannot be stored
   */
  async replace(
    tx: Transaction,
    { userId, mediaFileId }: JobContext['job'],
    modelId: number,
    embedded: readonly EmbeddedDocument[],
  ): Promise<void> {
    const key = { userId, mediaFileId, modelId };
    const rows = embedded.map(({ document, vector }): EmbeddingRow => ({
      ...document,
      id: uuidv7(),
      vector: encodeHalfvecBinary(toStoredVector(vector)),
    }));
    await tx.$executeRaw(deleteEmbeddings(key));
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
      await tx.$executeRaw(insertEmbeddings(key, rows.slice(start, start + ROWS_PER_STATEMENT)));
    }
  }
}
