/**
 * Optimal string alignment distance: how many letters must be inserted, deleted, replaced or swapped with their
 * neighbour to make one word of the other, no part being edited twice. Damerau-Levenshtein in its restricted form
 * (F. Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3), 1964; named and
 * compared in L. Boytsov, "Indexing methods for approximate dictionary searching", ACM JEA 16, 2011). Counted in code
 * points; three rows of the table suffice.
 */
export function optimalStringAlignmentDistance(from: string, to: string): number {
  const [a, b] = [Array.from(from), Array.from(to)];
  let twoBefore: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let least = Math.min(
        before[column]! + 1,
        current[column - 1]! + 1,
        before[column - 1]! + (isSame ? 0 : 1),
      );
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwapped) least = Math.min(least, twoBefore[column - 2]! + 1);
      current.push(least);
    }
    [twoBefore, before] = [before, current];
  }
  return before[b.length]!;
}
