/** Room in a kernel's memory that is being planned: floats reserved so far. */
export type ArenaPlan = { floatCount: number }

/** Reserves `count` floats and returns the index of the first, aligned to a cache line. */
export function reserve(plan: ArenaPlan, count: number): number {
  const at = plan.floatCount
  plan.floatCount += Math.ceil(count / 16) * 16
  return at
}

/** Columns of a matrix in the kernel: the next multiple of 4. */
export function paddedColumns(columnCount: number): number {
  return Math.ceil(columnCount / 4) * 4
}
