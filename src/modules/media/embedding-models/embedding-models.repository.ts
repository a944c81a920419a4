import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type {
  EmbeddingModel as ModelRow,
  Prisma,
} from '../../../infrastructure/database/generated/client.js';
import type { KeptModel, RegisteredModel } from './embedding-models.types.js';
import {
  cancelReindexJobs,
  deleteVectors,
  estimateFacts,
  hasVectors,
  lockModels,
  missingFiles,
  modelFigures,
  openReindexJobs,
  reindexCandidates,
  type EstimateFactsRow,
  type FileKey,
  type ModelFiguresRow,
  type ReindexCandidateRow,
} from './sql/embedding-models.sql.js';

const IDENTITY = { id: true, provider: true, name: true, version: true, dimensions: true } as const;

/** The registry of embedding models (C03), and how complete the vectors of each are. */
@Injectable()
export class EmbeddingModelsRepository {
  /** The model that search uses, or null when none is active. */
  active(tx: Transaction): Promise<RegisteredModel | null> {
    return tx.embeddingModel.findFirst({ where: { state: 'active' }, select: IDENTITY });
  }

  /** The models that files are embedded with, the active one first: also those being built, and retired ones for a while. */
  async kept(tx: Transaction): Promise<KeptModel[]> {
    const rows = await tx.embeddingModel.findMany({
      where: { OR: [{ state: { in: ['active', 'building'] } }, { fedUntil: { gt: new Date() } }] },
      // By state: active, building, retired.
      orderBy: [{ state: 'asc' }, { id: 'asc' }],
      select: { ...IDENTITY, state: true },
    });
    return rows as KeptModel[];
  }

  /**
   * Holds the states of all models as they are to the end of the transaction: `shared` for whoever writes vectors,
   * `exclusive` for whoever changes a state. So no vectors are written for a model that is no longer kept, and no switch
   * overlooks a file that is just being finished.
   */
  async lock(tx: Transaction, mode: 'shared' | 'exclusive'): Promise<void> {
    await tx.$queryRaw(lockModels(mode));
  }

  find(tx: Transaction, id: number): Promise<ModelRow | null> {
    return tx.embeddingModel.findUnique({ where: { id } });
  }

  findByName(
    tx: Transaction,
    { provider, name, version }: Pick<ModelRow, 'provider' | 'name' | 'version'>,
  ): Promise<ModelRow | null> {
    return tx.embeddingModel.findFirst({ where: { provider, name, version } });
  }

  list(tx: Transaction): Promise<ModelRow[]> {
    return tx.embeddingModel.findMany({ orderBy: { id: 'asc' } });
  }

  create(tx: Transaction, data: Prisma.EmbeddingModelCreateInput): Promise<ModelRow> {
    return tx.embeddingModel.create({ data });
  }

  update(tx: Transaction, id: number, data: Prisma.EmbeddingModelUpdateInput): Promise<ModelRow> {
    return tx.embeddingModel.update({ where: { id }, data });
  }

  async figures(tx: Transaction, modelId: number): Promise<ModelFiguresRow> {
    const [row] = await tx.$queryRaw<ModelFiguresRow[]>(modelFigures(modelId));
    if (!row) throw new Error('the figures of a model gave no row');
    return row;
  }

  /** Files that should have vectors of the model and have none, in the order of their keys. */
  missing(tx: Transaction, modelId: number, limit: number): Promise<FileKey[]> {
    return tx.$queryRaw<FileKey[]>(missingFiles(modelId, limit));
  }

  async estimateFacts(tx: Transaction, modelId: number): Promise<EstimateFactsRow> {
    const [row] = await tx.$queryRaw<EstimateFactsRow[]>(estimateFacts(modelId));
    if (!row) throw new Error('the estimate of a model gave no row');
    return row;
  }

  async hasVectors(tx: Transaction, file: FileKey, modelId: number): Promise<boolean> {
    const rows = await tx.$queryRaw<unknown[]>(hasVectors(file, modelId));
    return rows.length > 0;
  }

  async countOpenJobs(tx: Transaction): Promise<number> {
    const [row] = await tx.$queryRaw<{ jobs: number }[]>(openReindexJobs());
    return row?.jobs ?? 0;
  }

  candidates(
    tx: Transaction,
    input: Parameters<typeof reindexCandidates>[0],
  ): Promise<ReindexCandidateRow[]> {
    return tx.$queryRaw<ReindexCandidateRow[]>(reindexCandidates(input));
  }

  async cancelJobs(tx: Transaction, modelId: number): Promise<number> {
    return tx.$executeRaw(cancelReindexJobs(modelId));
  }

  /** Deletes up to `limit` vectors of the model. @returns how many */
  deleteVectors(tx: Transaction, modelId: number, limit: number): Promise<number> {
    return tx.$executeRaw(deleteVectors(modelId, limit));
  }
}
