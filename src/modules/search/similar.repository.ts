import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../infrastructure/database/database.js';
import {
  nearestMomentsQuery,
  partSimilaritiesQuery,
  partSourcesQuery,
  type NearestMomentRow,
  type PartSimilaritiesRow,
  type PartSourceRow,
} from './sql/similar.sql.js';

/** Runs the statements of composed searches and of moments. What each one means stands beside its SQL. */
@Injectable()
export class SimilarRepository {
  partSources(tx: Transaction, input: Parameters<typeof partSourcesQuery>[0]): Promise<PartSourceRow[]> {
    return tx.$queryRaw<PartSourceRow[]>(partSourcesQuery(input));
  }

  nearestMoments(
    tx: Transaction,
    input: Parameters<typeof nearestMomentsQuery>[0],
  ): Promise<NearestMomentRow[]> {
    return tx.$queryRaw<NearestMomentRow[]>(nearestMomentsQuery(input));
  }

  partSimilarities(
    tx: Transaction,
    input: Parameters<typeof partSimilaritiesQuery>[0],
  ): Promise<PartSimilaritiesRow[]> {
    return tx.$queryRaw<PartSimilaritiesRow[]>(partSimilaritiesQuery(input));
  }
}
