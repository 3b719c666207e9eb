import { invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import { createRandom, sampleIndices } from '../statistics/random.ts'

/** Options of permutation importance. */
export type PermutationImportanceOptions = {
  /** Shuffles per group of columns, default 5. */
  readonly repeatCount?: number
  /** Seed of every shuffle, default 42. */
  readonly seed?: number
  /**
   * Columns shuffled together, by name; default each column alone. Columns that carry the same
   * knowledge belong together: alone, each looks unimportant while another stands in for it.
   */
  readonly columnGroups?: readonly (readonly string[])[]
}

/** Importance of one group of columns. */
export type ColumnImportance = {
  readonly columnNames: readonly string[]
  /** Mean drop of the measure: how much worse without what the columns know. May be negative. */
  readonly mean: number
  /** Population standard deviation of the drops. */
  readonly std: number
  /** Drop per shuffle. */
  readonly drops: Float64Array
}

/** Importance of all groups, in their order. */
export type PermutationImportance = {
  /** The measure of the untouched rows. */
  readonly baseline: number
  readonly columns: readonly ColumnImportance[]
}

/**
 * How much a measure of any model gets worse when a column's values are dealt to other rows.
 * @param measure quality of the model on a matrix, higher is better: e.g. AUROC of its scores
 *   against labels, or the correlation with its own scores of the untouched rows where there are
 *   no labels. It must not keep or change the matrix it is given.
 * @throws TOO_FEW_ROWS with fewer than 2 rows, INVALID_OPTION for an unknown column
 * Cost 1 + groups · repeatCount calls of `measure`; one copy of the values.
 * Source: Breiman 2001, section 10; Fisher, Rudin & Dominici 2019.
 */
export function permutationImportance(
  matrix: FeatureMatrix,
  measure: (matrix: FeatureMatrix) => number,
  options: PermutationImportanceOptions = {},
): PermutationImportance {
  const { repeatCount = 5, seed = 42 } = options
  const { columnGroups = matrix.columnNames.map((name) => [name]) } = options
  if (!Number.isInteger(repeatCount) || repeatCount < 1) {
    throw invalidOption('repeatCount', 'an integer ≥ 1', repeatCount)
  }
  requireRows('permutation importance', matrix, 2)
  const indices = columnGroups.map((names) => names.map((name) => columnIndex(matrix, name)))
  const shuffled: FeatureMatrix = { ...matrix, values: matrix.values.slice() }
  const baseline = measure(matrix)
  const columns = columnGroups.map((columnNames, group): ColumnImportance => {
    const drops = new Float64Array(repeatCount)
    for (let repeat = 0; repeat < repeatCount; repeat++) {
      const random = createRandom(seed, group * repeatCount + repeat)
      const order = sampleIndices(random, matrix.rowCount, matrix.rowCount)
      for (const column of indices[group] ?? []) copyColumn(matrix, column, order, shuffled.values)
      drops[repeat] = baseline - measure(shuffled)
    }
    for (const column of indices[group] ?? []) restoreColumn(matrix, column, shuffled.values)
    return { columnNames: [...columnNames], ...meanAndStd(drops), drops }
  })
  return { baseline, columns }
}

function columnIndex(matrix: FeatureMatrix, name: string): number {
  const column = matrix.columnNames.indexOf(name)
  if (column < 0) throw invalidOption('columnGroups', 'names of columns', name)
  return column
}

function copyColumn(
  matrix: FeatureMatrix,
  column: number,
  order: Uint32Array,
  values: Float64Array,
): void {
  const columnCount = matrix.columnNames.length
  for (let row = 0; row < order.length; row++) {
    values[row * columnCount + column] = matrix.values[order[row]! * columnCount + column]!
  }
}

function restoreColumn(matrix: FeatureMatrix, column: number, values: Float64Array): void {
  const columnCount = matrix.columnNames.length
  for (let at = column; at < values.length; at += columnCount) values[at] = matrix.values[at]!
}

function meanAndStd(drops: Float64Array): { readonly mean: number; readonly std: number } {
  const mean = drops.reduce((sum, drop) => sum + drop, 0) / drops.length
  const variance = drops.reduce((sum, drop) => sum + (drop - mean) ** 2, 0) / drops.length
  return { mean, std: Math.sqrt(variance) }
}
