import { AnomalyError, invalidOption, shapeMismatch } from '../errors.ts'
import { type FeatureMatrix, requireRows } from '../feature-matrix.ts'
import { mapColumns } from '../sketches/matrix-columns.ts'
import {
  mergeQuantileSketches,
  type QuantileSketch,
  quantileSketchOfSorted,
} from '../sketches/quantile-sketch.ts'
import { sortValues } from '../sketches/value-sort.ts'
import { effectiveCount } from './effective-count.ts'

/** What is kept of one column. */
export type DriftColumn = {
  readonly name: string
  readonly sketch: QuantileSketch
  readonly nullCount: number
  /** Independent values it is worth; the count itself for independent rows. */
  readonly effectiveCount: number
}

/**
 * What is kept of a table to compare others with: one sketch per column, about 15 kB each for
 * 100,000 rows. Plain data; references of parts merge into one of the whole.
 */
export type DriftReference = {
  readonly kind: 'drift_reference'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly rowCount: number
  readonly columns: readonly DriftColumn[]
}

/** How the rows of a table depend on each other. */
export type RowDependence =
  /** One row per device and evaluation (MON-10). */
  | { readonly kind: 'independent' }
  /** Rows of a group (device) together, in time order; p-values then count independent rows. */
  | { readonly kind: 'series'; readonly groupStarts?: ArrayLike<number> }

/** Options of `driftReference`. */
export type DriftReferenceOptions = {
  /** Items per level of each sketch; twice as many halve the error. Default 2,048. */
  readonly capacity?: number
  /** Default independent. */
  readonly rows?: RowDependence
}

const INDEPENDENT: RowDependence = { kind: 'independent' }

/**
 * Keeps what drift tests need of a table.
 * @param matrix NaN counts as missing, ±∞ is refused
 * @throws TOO_FEW_ROWS without rows, NOT_FINITE for ±∞, INVALID_OPTION
 * Cost O(cells); with `series` O(cells · lags).
 */
export function driftReference(
  matrix: FeatureMatrix,
  { capacity = 2048, rows = INDEPENDENT }: DriftReferenceOptions = {},
): DriftReference {
  requireRows('drift reference', matrix)
  const sorted = driftSamples(matrix, rows)
  const columns = sorted.map(({ name, sorted: values, nullCount, effectiveCount: worth }) => ({
    name,
    sketch: quantileSketchOfSorted(values, capacity),
    nullCount,
    effectiveCount: worth,
  }))
  return {
    kind: 'drift_reference',
    stateVersion: 1,
    columnNames: matrix.columnNames,
    rowCount: matrix.rowCount,
    columns,
  }
}

/**
 * The reference of the rows of both. Row counts and missing cells add exactly; the sketches keep
 * their error bound in any order of merges.
 * @throws INVALID_OPTION if columns or capacities differ
 * Cost O(columns · capacity · levels).
 */
export function mergeDriftReferences(a: DriftReference, b: DriftReference): DriftReference {
  const at = a.columnNames.findIndex((name, c) => name !== b.columnNames[c])
  if (at >= 0) throw invalidOption(`columnNames[${at}]`, a.columnNames[at] ?? '', b.columnNames[at])
  if (b.columnNames.length !== a.columnNames.length) {
    throw shapeMismatch('columnNames.length', a.columnNames.length, b.columnNames.length)
  }
  const columns = a.columns.map((column, c) => {
    const other = b.columns[c]!
    return {
      name: column.name,
      sketch: mergeQuantileSketches(column.sketch, other.sketch),
      nullCount: column.nullCount + other.nullCount,
      effectiveCount: column.effectiveCount + other.effectiveCount,
    }
  })
  return { ...a, rowCount: a.rowCount + b.rowCount, columns }
}

/** One column of the current table, sorted. */
export type DriftSample = {
  readonly name: string
  readonly sorted: Float64Array
  readonly nullCount: number
  readonly effectiveCount: number
}

/** The columns of a table in ascending order with what the tests need besides. */
export function driftSamples(matrix: FeatureMatrix, rows: RowDependence): DriftSample[] {
  return mapColumns(matrix, (values, c) => {
    const name = matrix.columnNames[c]!
    const sorted = sortValues(values)
    const ends = [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 0]
    if (!ends.every(Number.isFinite)) {
      throw new AnomalyError(
        'NOT_FINITE',
        `drift: column ${name} holds an infinite value, expected finite ones or NaN`,
        { column: name },
      )
    }
    return {
      name,
      sorted,
      nullCount: matrix.rowCount - values.length,
      effectiveCount:
        rows.kind === 'independent'
          ? values.length
          : effectiveCount(columnInOrder(matrix, c), rows.groupStarts),
    }
  })
}

/** A column with its missing cells, so that rows stay where they are in time. */
function columnInOrder({ values, rowCount, columnNames }: FeatureMatrix, c: number): Float64Array {
  const column = new Float64Array(rowCount)
  for (let row = 0; row < rowCount; row++) column[row] = values[row * columnNames.length + c]!
  return column
}
