import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { EmbeddingModel } from '../../infrastructure/ai/ai.types.js';
import type { PlanFactsRow } from './sql/search.sql.js';

/**
 * How old remembered facts may be. Somebody who searches mostly searches again, and what has changed since changes how
 * long a search takes, not what it finds. A model that was given up is searched at most this much longer: planFactsQuery
 * lets it go early enough for its vectors still to be there.
 */
const MAX_AGE_MS = 10_000;
const MAX_USERS = 10_000;

/** What chose the plan of each user's last search. */
@Injectable()
export class PlanFactsMemory {
  private readonly facts = new LRUCache<string, PlanFactsRow>({ max: MAX_USERS, ttl: MAX_AGE_MS });

  get(userId: string, model: EmbeddingModel): PlanFactsRow | null {
    return this.facts.get(keyOf(userId, model)) ?? null;
  }

  set(userId: string, model: EmbeddingModel, facts: PlanFactsRow): void {
    this.facts.set(keyOf(userId, model), facts);
  }
}

const keyOf = (userId: string, { provider, name, version }: EmbeddingModel): string =>
  JSON.stringify([userId, provider, name, version]);
