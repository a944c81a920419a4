import { Inject, Injectable } from '@nestjs/common';
import { ModelNotServableError, TextEmbedders } from '../../../infrastructure/ai/text-embedders.js';
import type { AppConfig } from '../../../infrastructure/config/config.js';
import { Database, type Transaction } from '../../../infrastructure/database/database.js';
import type { EmbeddingModel as ModelRow } from '../../../infrastructure/database/generated/client.js';
import { AppError, errors } from '../../../infrastructure/errors/app-error.js';
import { APP_CONFIG } from '../../../infrastructure/infrastructure.tokens.js';
import { AuditService } from '../../audit/audit.service.js';
import { ActiveEmbeddingModelReader } from './active-embedding-model.reader.js';
import type {
  EmbeddingModelList,
  EmbeddingModelResponse,
  RegisterEmbeddingModelRequest,
  ReindexEstimate,
} from './dto/embedding-models.dto.js';
import { toModelResponse } from './embedding-models.mapper.js';
import { EmbeddingModelsRepository } from './embedding-models.repository.js';
import { describeModel } from './embedding-models.types.js';
import { reindexWork } from './reindex-estimate.js';

const MISSING_SHOWN = 20;
const HOUR_MS = 3_600_000;
/**
 * Searches under way, and processes that have not noticed the switch yet, still compare with the retired model's
 * vectors: as long as planFactsQuery lets them (15 s) and what it said is remembered (10 s).
 */
const SWITCH_GRACE_MS = 30_000;

/**
 * The change of the embedding model without downtime: register -> reindex -> activate, and activate the old one again
 * for the way back. Acts for an administrator; each change and its audit row are one transaction.
 */
@Injectable()
export class EmbeddingModelsService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(EmbeddingModelsRepository) private readonly models: EmbeddingModelsRepository,
    @Inject(ActiveEmbeddingModelReader) private readonly activeModel: ActiveEmbeddingModelReader,
    @Inject(TextEmbedders) private readonly embedders: TextEmbedders,
    @Inject(AuditService) private readonly audit: AuditService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'EMBEDDING_RETIRED_GRACE_HOURS'>,
  ) {}

  /** All models with the check "searchable items = embedded items" for each, over all users. */
  list(): Promise<EmbeddingModelList> {
    return this.database.run(async (tx) => {
      const items: EmbeddingModelResponse[] = [];
      for (const row of await this.models.list(tx)) items.push(await this.describe(tx, row));
      return { items };
    });
  }

  /**
   * Registers a model that files are embedded with from now on, beside the active one.
   * @throws AppError 400 `model-not-servable` naming the field; 409 `model-exists`
   */
  async register(request: RegisterEmbeddingModelRequest): Promise<EmbeddingModelResponse> {
    const model = this.resolve(request);
    return this.database.run(async (tx) => {
      await this.models.lock(tx, 'exclusive');
      const existing = await this.models.findByName(tx, model);
      if (existing) {
        throw errors.conflict(
          'model-exists',
          `${describeModel(model)} is registered already, with the id ${existing.id}. It is ${existing.state}.`,
        );
      }
      const { provider, name, version, dimensions } = model;
      const row = await this.models.create(tx, { provider, name, version, dimensions, state: 'building' });
      await this.record(tx, 'registered', 'create', row, { newValues: identity(row) });
      return this.describe(tx, row);
    });
  }

  /**
   * What embedding the missing files would take, before anything is spent.
   * @throws AppError 404; 409 `model-not-servable`
   */
  estimate(id: number): Promise<ReindexEstimate> {
    return this.database.run(async (tx) => {
      const row = await this.mustFind(tx, id);
      this.mustServe(row);
      const work = reindexWork(await this.models.estimateFacts(tx, id));
      const expected = this.embedders.price(row, work.expectedTokens);
      return {
        modelId: id,
        files: work.files,
        segments: work.segments,
        characters: work.characters,
        tokens: { expected: work.expectedTokens, atMost: work.maxTokens },
        cost: {
          expected: expected.amount,
          atMost: this.embedders.price(row, work.maxTokens).amount,
          currency: expected.currency,
        },
        guessedFiles: work.guessedFiles,
      };
    });
  }

  /**
   * Starts or continues the re-embedding in the background; files that failed are tried again. A retired model is built
   * again. Asking twice changes nothing: a file that has vectors or a job gets no other.
   * @throws AppError 404; 409 `model-not-servable`, `vectors-being-dropped`
   */
  reindex(id: number): Promise<EmbeddingModelResponse> {
    return this.database.run(async (tx) => {
      await this.models.lock(tx, 'exclusive');
      const row = await this.mustFind(tx, id);
      this.mustServe(row);
      refuseWhileDropped(row);
      const updated = await this.models.update(tx, id, {
        reindexRequestedAt: new Date(),
        ...(row.state === 'retired' ? { state: 'building', fedUntil: null } : {}),
      });
      await this.record(tx, 'reindex', 'update', row, {
        oldValues: { state: row.state },
        newValues: { state: updated.state },
      });
      return this.describe(tx, updated);
    });
  }

  /**
   * Makes the model the one that search uses, and retires the other. The retired one keeps its vectors and is fed with
   * new files for a while, so that activating it is the way back.
   * @param force switch although files lack vectors
   * @throws AppError 404; 409 `model-incomplete` with `missingFiles`, `model-not-servable`, `vectors-being-dropped`
   */
  async activate(id: number, force: boolean): Promise<EmbeddingModelResponse> {
    const response = await this.database.run(async (tx) => {
      await this.models.lock(tx, 'exclusive');
      const row = await this.mustFind(tx, id);
      if (row.state === 'active') return this.describe(tx, row);
      this.mustServe(row);
      refuseWhileDropped(row);
      const { searchableFiles, embeddedFiles } = await this.models.figures(tx, id);
      const missingFiles = searchableFiles - embeddedFiles;
      if (missingFiles > 0 && !force) throw incomplete(row, missingFiles);
      const now = new Date();
      const before = await this.models.active(tx);
      if (before) {
        const graceMs = this.config.EMBEDDING_RETIRED_GRACE_HOURS * HOUR_MS;
        await this.models.update(tx, before.id, {
          state: 'retired',
          retiredAt: now,
          fedUntil: graceMs > 0 ? new Date(now.getTime() + graceMs) : null,
          reindexRequestedAt: null,
        });
      }
      const activated = await this.models.update(tx, id, {
        state: 'active',
        activatedAt: now,
        retiredAt: null,
        fedUntil: null,
      });
      await this.record(tx, 'activated', 'update', activated, {
        oldValues: { active: before ? describeModel(before) : null },
        newValues: { active: describeModel(activated), missingFiles, force },
      });
      return this.describe(tx, activated);
    });
    this.activeModel.forget();
    return response;
  }

  /**
   * Gives a model up: new files are not embedded with it any more, its jobs are cancelled, and its vectors are deleted
   * in the background.
   * @throws AppError 404; 409 `model-active`, `model-just-retired`
   */
  dropVectors(id: number): Promise<EmbeddingModelResponse> {
    return this.database.run(async (tx) => {
      await this.models.lock(tx, 'exclusive');
      const row = await this.mustFind(tx, id);
      if (row.state === 'active') {
        throw errors.conflict('model-active', 'Search uses this model. Activate another one first.');
      }
      if (row.retiredAt && Date.now() - row.retiredAt.getTime() < SWITCH_GRACE_MS) {
        throw errors.conflict(
          'model-just-retired',
          `Searches under way may still use this model. Try again in ${SWITCH_GRACE_MS / 1000} s.`,
        );
      }
      const updated = await this.models.update(tx, id, {
        state: 'retired',
        retiredAt: row.retiredAt ?? new Date(),
        fedUntil: null,
        reindexRequestedAt: null,
        dropRequestedAt: new Date(),
      });
      const cancelledJobs = await this.models.cancelJobs(tx, id);
      await this.record(tx, 'vectors-dropped', 'delete', row, {
        oldValues: { state: row.state },
        newValues: { state: updated.state, cancelledJobs },
      });
      return this.describe(tx, updated);
    });
  }

  private async describe(tx: Transaction, row: ModelRow): Promise<EmbeddingModelResponse> {
    const figures = await this.models.figures(tx, row.id);
    const missing =
      figures.embeddedFiles < figures.searchableFiles
        ? await this.models.missing(tx, row.id, MISSING_SHOWN)
        : [];
    return toModelResponse(row, figures, missing, this.embedders.find(row) !== null);
  }

  private async mustFind(tx: Transaction, id: number): Promise<ModelRow> {
    const row = await this.models.find(tx, id);
    if (!row) throw errors.notFound('embedding model');
    return row;
  }

  private resolve(request: RegisterEmbeddingModelRequest) {
    try {
      return this.embedders.resolve(request).model;
    } catch (error) {
      if (!(error instanceof ModelNotServableError)) throw error;
      throw errors.badRequest('model-not-servable', error.message, `/${error.field}`);
    }
  }

  private mustServe(row: ModelRow): void {
    try {
      this.embedders.resolve(row);
    } catch (error) {
      if (!(error instanceof ModelNotServableError)) throw error;
      throw errors.conflict('model-not-servable', error.message);
    }
  }

  private record(
    tx: Transaction,
    what: string,
    action: string,
    row: ModelRow,
    values: { oldValues?: Record<string, unknown>; newValues?: Record<string, unknown> },
  ): Promise<void> {
    return this.audit.record(tx, {
      eventType: `embedding-model.${what}`,
      category: 'admin',
      action,
      description: describeModel(row),
      ...values,
      // The audit log's target is a UUID; models are numbered.
      metadata: { modelId: row.id },
      riskLevel: 'high',
    });
  }
}

const identity = ({ provider, name, version, dimensions, state }: ModelRow) => ({
  ...{ provider, name, version, dimensions, state },
});

function refuseWhileDropped(row: ModelRow): void {
  if (row.dropRequestedAt) {
    throw errors.conflict(
      'vectors-being-dropped',
      'The vectors of this model are being dropped. Try again when that has ended.',
    );
  }
}

function incomplete(row: ModelRow, missingFiles: number): AppError {
  return new AppError(
    409,
    'model-incomplete',
    'Conflict',
    `${missingFiles} files have no vectors of ${describeModel(row)} yet. Start reindex and wait for it, or send "force": true to have these files found by words alone.`,
    { members: { missingFiles } },
  );
}
