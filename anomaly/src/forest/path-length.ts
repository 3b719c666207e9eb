/** Euler–Mascheroni constant to the digits that MOD-18 fixes. */
const EULER_GAMMA = 0.5772156649

/**
 * Mean depth c(n) of an unsuccessful search in a binary search tree of n keys: the path length
 * still missing in a leaf that holds n rows, and the unit in which forest depths are measured.
 * c(1) = 0, c(2) = 1, c(256) = 10.2448.
 * Source: Liu, Ting & Zhou 2008, eq. 1.
 */
export function averagePathLength(rowCount: number): number {
  if (rowCount <= 1) return 0
  if (rowCount === 2) return 1
  return 2 * (Math.log(rowCount - 1) + EULER_GAMMA) - (2 * (rowCount - 1)) / rowCount
}
