import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Database, type Transaction } from '../../infrastructure/database/database.js';
import type { Category, Tag } from '../../infrastructure/database/generated/client.js';
import { sqlStateOf } from '../../infrastructure/database/sql-state.js';
import { errors } from '../../infrastructure/errors/app-error.js';
import { CursorCodec } from '../../infrastructure/http/cursor.js';
import type { PageQuery } from '../../infrastructure/http/pagination.dto.js';
import { currentUserId } from '../../infrastructure/context/current-user.js';
import type {
  CategoryListResponse,
  CategoryResponse,
  CreateLabelRequest,
  TagListResponse,
  TagResponse,
  UpdateLabelRequest,
} from './dto/labels.dto.js';
import { LabelsRepository } from './labels.repository.js';
import type { LabelListPosition, LabelListRow } from './sql/labels.sql.js';

/** The user's tags and categories as things of their own. Their names on files are kept by database triggers. */
@Injectable()
export class LabelsService {
  constructor(
    private readonly database: Database,
    private readonly labels: LabelsRepository,
    private readonly cursors: CursorCodec,
  ) {}

  /** By name. @throws AppError 400 `invalid-cursor` */
  async listTags(query: PageQuery): Promise<TagListResponse> {
    return this.page('tags', query, toTagResponse, (tx, userId, after) =>
      this.labels.listTags(tx, userId, after, query.limit),
    );
  }

  /** The system's and the user's own, by name. @throws AppError 400 `invalid-cursor` */
  async listCategories(query: PageQuery): Promise<CategoryListResponse> {
    return this.page('categories', query, toCategoryResponse, (tx, userId, after) =>
      this.labels.listCategories(tx, userId, after, query.limit),
    );
  }

  /** @throws AppError 409 `already-exists` when there is a tag of this name, whatever its case */
  async createTag(request: CreateLabelRequest): Promise<TagResponse> {
    const userId = currentUserId();
    const row = await refuseSecond('tag', () =>
      this.database.run((tx) =>
        tx.tag.create({
          data: { userId, id: uuidv7(), name: request.name, description: request.description ?? null },
        }),
      ),
    );
    return toTagResponse({ ...row, mediaCount: 0 });
  }

  /** @throws AppError 409 `already-exists` when the user or the system has a category of this name */
  async createCategory(request: CreateLabelRequest): Promise<CategoryResponse> {
    const userId = currentUserId();
    const row = await refuseSecond('category', () =>
      this.database.run(async (tx) => {
        if (await this.labels.categoryExists(tx, userId, request.name)) throw alreadyExists('category');
        return tx.category.create({
          data: { userId, id: uuidv7(), name: request.name, description: request.description ?? null },
        });
      }),
    );
    return toCategoryResponse({ ...row, ownerId: row.userId, mediaCount: 0 });
  }

  /** Renames or describes; files show the new name at once. @throws AppError 404, 409 `already-exists` */
  async updateTag(id: string, request: UpdateLabelRequest): Promise<TagResponse> {
    const userId = currentUserId();
    return refuseSecond('tag', () =>
      this.database.run(async (tx) => {
        const { count } = await tx.tag.updateMany({ where: { userId, id }, data: changes(request) });
        if (count === 0) throw errors.notFound('tag');
        const row = await tx.tag.findFirstOrThrow({ where: { userId, id } });
        const mediaCount = await tx.mediaTag.count({
          where: { userId, tagId: id, mediaFile: { deletedAt: null } },
        });
        return toTagResponse({ ...row, mediaCount });
      }),
    );
  }

  /** @throws AppError 403 for a system category, 404, 409 `already-exists` */
  async updateCategory(id: string, request: UpdateLabelRequest): Promise<CategoryResponse> {
    const userId = currentUserId();
    return refuseSecond('category', () =>
      this.database.run(async (tx) => {
        await mustOwnCategory(tx, userId, id);
        const row = await tx.category.update({ where: { id, userId }, data: changes(request) });
        const mediaCount = await tx.mediaCategory.count({
          where: { userId, categoryId: id, mediaFile: { deletedAt: null } },
        });
        return toCategoryResponse({ ...row, ownerId: row.userId, mediaCount });
      }),
    );
  }

  /** Takes the tag off all files as well. @throws AppError 404 */
  async deleteTag(id: string): Promise<void> {
    const userId = currentUserId();
    const { count } = await this.database.run((tx) => tx.tag.deleteMany({ where: { userId, id } }));
    if (count === 0) throw errors.notFound('tag');
  }

  /** Takes the category off all files as well. @throws AppError 403 for a system category, 404 */
  async deleteCategory(id: string): Promise<void> {
    const userId = currentUserId();
    await this.database.run(async (tx) => {
      await mustOwnCategory(tx, userId, id);
      await tx.category.deleteMany({ where: { userId, id } });
    });
  }

  private async page<T>(
    kind: 'tags' | 'categories',
    query: PageQuery,
    map: (row: LabelListRow) => T,
    read: (tx: Transaction, userId: string, after: LabelListPosition | null) => Promise<LabelListRow[]>,
  ): Promise<{ items: T[]; nextCursor: string | null }> {
    const userId = currentUserId();
    const after =
      query.cursor === undefined ? null : this.cursors.decode<LabelListPosition>(kind, userId, query.cursor);
    const rows = await this.database.run((tx) => read(tx, userId, after));
    const page = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? page.at(-1) : undefined;
    return {
      items: page.map(map),
      nextCursor: last ? this.cursors.encode(kind, userId, { key: last.key, id: last.id }) : null,
    };
  }
}

function toTagResponse(
  row: Pick<Tag, 'id' | 'name' | 'description' | 'createdAt'> & { mediaCount: number },
): TagResponse {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    mediaCount: row.mediaCount,
    createdAt: row.createdAt.toISOString(),
  };
}

function toCategoryResponse(
  row: Pick<Category, 'id' | 'name' | 'description' | 'createdAt'> & {
    mediaCount: number;
    ownerId: string | null;
  },
): CategoryResponse {
  return { ...toTagResponse(row), isSystem: row.ownerId === null };
}

function changes(request: UpdateLabelRequest): { name?: string; description?: string | null } {
  return {
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(request.description === undefined ? {} : { description: request.description }),
  };
}

/** @throws AppError 404 for what the user cannot see, 403 for what everybody sees and nobody may change */
async function mustOwnCategory(tx: Transaction, userId: string, id: string): Promise<void> {
  const category = await tx.category.findFirst({ where: { id, OR: [{ userId }, { userId: null }] } });
  if (!category) throw errors.notFound('category');
  if (category.userId === null)
    throw errors.forbidden('System categories cannot be changed. Create one of your own.');
}

function alreadyExists(what: 'tag' | 'category'): Error {
  return errors.conflict('already-exists', `There is a ${what} of this name already.`);
}

/** The unique index has the last word, whatever was looked up before. */
async function refuseSecond<T>(what: 'tag' | 'category', write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (sqlStateOf(error) === '23505') throw alreadyExists(what);
    throw error;
  }
}
