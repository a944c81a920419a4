import type { Facet, FacetRow } from './sql/facets.sql.js';

export interface FacetValue {
  value: string;
  /** Files with this value. */
  count: number;
}

export interface FacetCounts {
  /** Most files first; equal counts by value. */
  values: FacetValue[];
  /** Distinct values beyond these. 0 = all are here. */
  more: number;
}

export type Facets = Partial<Record<Facet, FacetCounts>>;

/**
 * The rows of facetsQuery by facet, in the order asked. A facet of which no file has a value is there and empty, so
 * that a client can tell it from one that it did not ask for.
 */
export function toFacets(facets: readonly Facet[], rows: readonly FacetRow[]): Facets {
  const counts = new Map<Facet, FacetCounts>(facets.map((facet) => [facet, { values: [], more: 0 }]));
  for (const { facet, value, count, more } of rows) {
    const found = counts.get(facet);
    if (found === undefined) continue;
    found.values.push({ value, count });
    found.more = more;
  }
  return Object.fromEntries(counts);
}
