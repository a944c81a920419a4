import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Transaction } from '../../infrastructure/database/database.js';
import {
  categoriesByName,
  categoryListPage,
  tagListPage,
  tagsByName,
  unknownCategoryNames,
  type LabelListPosition,
  type LabelListRow,
  type NamedRow,
} from './sql/labels.sql.js';

/** Queries over tags, categories and their links to files. The copies of the names on media_files are kept by triggers. */
@Injectable()
export class LabelsRepository {
  /** Makes `names` the whole set of a file's tags; unknown ones are created, links of others removed. */
  async setTags(
    tx: Transaction,
    userId: string,
    mediaFileId: string,
    names: readonly string[],
  ): Promise<void> {
    // In one order everywhere, so that two uploads that create the same tags wait instead of deadlocking.
    const sorted = [...names].sort();
    if (sorted.length > 0) {
      const known = await tx.$queryRaw<NamedRow[]>(tagsByName(userId, sorted));
      if (known.length < sorted.length) {
        await tx.tag.createMany({
          data: sorted.map((name) => ({ userId, id: uuidv7(), name })),
          skipDuplicates: true,
        });
      }
    }
    const tags = sorted.length > 0 ? await tx.$queryRaw<NamedRow[]>(tagsByName(userId, sorted)) : [];
    const tagIds = tags.map((tag) => tag.id);
    await tx.mediaTag.deleteMany({ where: { userId, mediaFileId, tagId: { notIn: tagIds } } });
    if (tagIds.length > 0) {
      await tx.mediaTag.createMany({
        data: tagIds.map((tagId) => ({ userId, mediaFileId, tagId })),
        skipDuplicates: true,
      });
    }
  }

  /**
   * Makes `names` the whole set of a file's categories. A name means the user's own category, else the system's;
   * when there is neither, a category of the user is created.
   */
  async setCategories(
    tx: Transaction,
    userId: string,
    mediaFileId: string,
    names: readonly string[],
  ): Promise<void> {
    const sorted = [...names].sort();
    let categoryIds: string[] = [];
    if (sorted.length > 0) {
      const missing = await tx.$queryRaw<{ name: string }[]>(unknownCategoryNames(userId, sorted));
      if (missing.length > 0) {
        await tx.category.createMany({
          data: missing.map(({ name }) => ({ userId, id: uuidv7(), name })),
          skipDuplicates: true,
        });
      }
      categoryIds = (await tx.$queryRaw<NamedRow[]>(categoriesByName(userId, sorted))).map(
        (category) => category.id,
      );
    }
    await tx.mediaCategory.deleteMany({ where: { userId, mediaFileId, categoryId: { notIn: categoryIds } } });
    if (categoryIds.length > 0) {
      await tx.mediaCategory.createMany({
        data: categoryIds.map((categoryId) => ({ userId, mediaFileId, categoryId })),
        skipDuplicates: true,
      });
      // What the analysis had suggested is now the user's word: the next analysis must not take it back.
      await tx.mediaCategory.updateMany({
        where: { userId, mediaFileId, source: 'ai' },
        data: { source: 'user' },
      });
    }
  }

  /** One row more than `limit` when there is a next page. */
  async listTags(
    tx: Transaction,
    userId: string,
    after: LabelListPosition | null,
    limit: number,
  ): Promise<LabelListRow[]> {
    return tx.$queryRaw<LabelListRow[]>(tagListPage(userId, after, limit));
  }

  /** One row more than `limit` when there is a next page. */
  async listCategories(
    tx: Transaction,
    userId: string,
    after: LabelListPosition | null,
    limit: number,
  ): Promise<LabelListRow[]> {
    return tx.$queryRaw<LabelListRow[]>(categoryListPage(userId, after, limit));
  }

  /** True when the user or the system has a category of this name. */
  async categoryExists(tx: Transaction, userId: string, name: string): Promise<boolean> {
    return (await tx.$queryRaw<NamedRow[]>(categoriesByName(userId, [name]))).length > 0;
  }
}
