/**
 * The number of lists of an ivfflat index by the rules of the source documents. The product itself needs no ivfflat
 * index (C04); the rule is kept for an operator who builds one by hand.
 *
 * - `document-000`: below a million rows 100, from there on the square root of the rows (000-28)
 * - `document-003`: below 1,000 rows 10 to 50, below 10,000 rows 50 to 100, up to 100,000 rows 100 to 500, each growing
 *   evenly with the rows, above that the square root of the rows (003-08)
 *
 * @param rows number of vectors, a whole number from 0
 */
export function ivfflatLists(rows: number, rule: 'document-000' | 'document-003' = 'document-003'): number {
  if (!Number.isInteger(rows) || rows < 0) throw new RangeError('rows must be a whole number from 0');
  if (rule === 'document-000') return rows < 1_000_000 ? 100 : Math.round(Math.sqrt(rows));
  const between = (fromRows: number, toRows: number, fromLists: number, toLists: number): number =>
    Math.round(fromLists + ((rows - fromRows) / (toRows - fromRows)) * (toLists - fromLists));
  if (rows < 1_000) return between(0, 1_000, 10, 50);
  if (rows < 10_000) return between(1_000, 10_000, 50, 100);
  if (rows <= 100_000) return between(10_000, 100_000, 100, 500);
  return Math.round(Math.sqrt(rows));
}
