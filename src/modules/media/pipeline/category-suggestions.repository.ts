import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../infrastructure/database/database.js';
import type { JobContext } from '../../jobs/jobs.types.js';

/** The category that the analysis suggests for a file; the user's own choice is never touched. */
@Injectable()
export class CategorySuggestionsRepository {
  /**
   * Replaces the suggestion of an earlier run. Nothing is suggested for a file that its user has put into a category,
   * nor a name that is neither a system category nor one of the user's (their own goes first). A suggestion that stays
   * the same is left as it is.
   */
  async replace(tx: Transaction, job: JobContext['job'], name: string | null): Promise<void> {
    const { userId, mediaFileId } = job;
    const chosen = await tx.mediaCategory.findFirst({
      where: { userId, mediaFileId, source: 'user' },
      select: { categoryId: true },
    });
    const suggestion = chosen || name === null ? null : await this.findByName(tx, userId, name);
    await tx.mediaCategory.deleteMany({
      where: {
        userId,
        mediaFileId,
        source: 'ai',
        ...(suggestion ? { categoryId: { not: suggestion } } : {}),
      },
    });
    if (!suggestion) return;
    await tx.mediaCategory.createMany({
      data: [{ userId, mediaFileId, categoryId: suggestion, source: 'ai' }],
      skipDuplicates: true,
    });
  }

  private async findByName(tx: Transaction, userId: string, name: string): Promise<string | null> {
    const category = await tx.category.findFirst({
      where: {
        name: { equals: name.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' },
        OR: [{ userId }, { userId: null }],
      },
      orderBy: { userId: { sort: 'asc', nulls: 'last' } },
      select: { id: true },
    });
    return category?.id ?? null;
  }
}
