import type { FeatureMatrix, GroupStatistics } from '@isotherm/anomaly'
import { type CarriedValues, type FeatureRows, selectColumns } from './feature-rows.ts'

/** Share of a row's features that may be imputed, FEA-43; above it the row is dropped. */
export const MAX_IMPUTED_SHARE = 0.5

const hourMs = 3_600_000

/** How old a carried value may be, FEA-43: 24 h, for daily windows 7 days. */
export function carryLimitMs(durationMinutes: number): number {
  return durationMinutes >= 1_440 ? 7 * 24 * hourMs : 24 * hourMs
}

/** Normal values frozen in an artifact: of the fleet (one group) and of each cohort. */
export type Normals = {
  readonly fleet: GroupStatistics
  readonly cohorts: GroupStatistics
}

/** Rows ready for a detector: no cell is NaN in a kept row. */
export type ImputedRows = {
  readonly matrix: FeatureMatrix
  /** Indices of the kept rows, ascending; the matrix holds exactly these. */
  readonly keptRows: Uint32Array
  /** Rows with more than half of their features imputed. */
  readonly mostlyImputedRows: Uint32Array
  /** Rows with a feature for which even the fleet has no value. */
  readonly unfillableRows: Uint32Array
  /** Cells filled, by method; counted over all rows. */
  readonly filledCells: {
    readonly carried: number
    readonly cohort: number
    readonly fleet: number
  }
}

/**
 * Fills nulls by FEA-43: the device's last measured value, else the cohort's, else the fleet's
 * median. Never zero. Training and scoring call this one function (CON-29).
 * @param columnNames the model's features in order; cohortOfRow indexes `normals.cohorts`
 */
export function imputeRows(
  rows: FeatureRows,
  columnNames: readonly string[],
  cohortOfRow: Uint32Array,
  normals: Normals,
  isShared = false,
): ImputedRows {
  const matrix = selectColumns(rows.matrix, columnNames, isShared)
  const { values, rowCount } = matrix
  const width = columnNames.length
  const missing = new Uint16Array(rowCount)
  for (let row = 0; row < rowCount; row++) {
    let count = 0
    const end = (row + 1) * width
    for (let i = row * width; i < end; i++) if (Number.isNaN(values[i]!)) count++
    missing[row] = count
  }
  const carriedCells = fillCarried(matrix, rows.carried)
  const filledCells = { carried: carriedCells, cohort: 0, fleet: 0 }
  const mostlyImputed: number[] = []
  const unfillable: number[] = []
  const isKept = new Uint8Array(rowCount).fill(1)
  for (let row = 0; row < rowCount; row++) {
    if (missing[row] === 0) continue
    const isFilled = fillMedians(
      values,
      row * width,
      width,
      cohortOfRow[row]!,
      normals,
      filledCells,
    )
    if (missing[row]! > MAX_IMPUTED_SHARE * width) mostlyImputed.push(row)
    else if (!isFilled) unfillable.push(row)
    else continue
    isKept[row] = 0
  }
  return {
    ...keepRows(matrix, isKept),
    mostlyImputedRows: Uint32Array.from(mostlyImputed),
    unfillableRows: Uint32Array.from(unfillable),
    filledCells,
  }
}

function fillCarried(matrix: FeatureMatrix, carried: CarriedValues): number {
  const { values, columnNames } = matrix
  const targets = carried.columnNames.map((name) => columnNames.indexOf(name))
  let filled = 0
  for (let i = 0; i < carried.rows.length; i++) {
    const start = carried.rows[i]! * columnNames.length
    for (let c = 0; c < targets.length; c++) {
      const target = targets[c]!
      const value = carried.values[i * targets.length + c]!
      if (target < 0 || Number.isNaN(value)) continue
      const cell = values[start + target]!
      if (!Number.isNaN(cell)) continue
      values[start + target] = value
      filled++
    }
  }
  return filled
}

function fillMedians(
  values: Float64Array,
  start: number,
  width: number,
  cohort: number,
  normals: Normals,
  filled: { cohort: number; fleet: number },
): boolean {
  let isFilled = true
  for (let c = 0; c < width; c++) {
    const cell = values[start + c]!
    if (!Number.isNaN(cell)) continue
    const cohortMedian =
      cohort < normals.cohorts.groupCount
        ? normals.cohorts.centres[cohort * width + c]!
        : Number.NaN
    if (!Number.isNaN(cohortMedian)) {
      values[start + c] = cohortMedian
      filled.cohort++
      continue
    }
    const fleetMedian = normals.fleet.centres[c]!
    values[start + c] = fleetMedian
    if (!Number.isNaN(fleetMedian)) filled.fleet++
    else isFilled = false
  }
  return isFilled
}

/** Moves kept rows together in place; the matrix is ours. */
function keepRows(
  matrix: FeatureMatrix,
  isKept: Uint8Array,
): { readonly matrix: FeatureMatrix; readonly keptRows: Uint32Array } {
  const width = matrix.columnNames.length
  const keptRows = new Uint32Array(matrix.rowCount)
  let kept = 0
  for (let row = 0; row < matrix.rowCount; row++) {
    if (isKept[row] === 0) continue
    if (kept !== row) {
      matrix.values.copyWithin(kept * width, row * width, (row + 1) * width)
    }
    keptRows[kept++] = row
  }
  return {
    matrix: { ...matrix, rowCount: kept, values: matrix.values.subarray(0, kept * width) },
    keptRows: keptRows.slice(0, kept),
  }
}
