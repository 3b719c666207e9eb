import type { FeatureMatrix } from '@isotherm/anomaly'
import { type DeviceRow, IsothermError } from '../contracts/index.ts'

/** What a model needs to know of a device: its cohort, and how often it reports. */
export type FleetDevice = Pick<
  DeviceRow,
  'device_id' | 'cohort_id' | 'model' | 'reporting_interval_s' | 'status'
>

/** Last measured values before rows with nulls, FEA-43 step 1; NaN where there is none. */
export type CarriedValues = {
  /** Row indices in ascending order. */
  readonly rows: Uint32Array
  readonly columnNames: readonly string[]
  /** rows.length × columnNames.length, row-major. */
  readonly values: Float64Array
}

/**
 * Feature rows of one duration, sorted by device and window: the input of training and scoring.
 * Nulls are NaN; nothing is imputed yet.
 */
export type FeatureRows = {
  readonly durationMinutes: number
  readonly matrix: FeatureMatrix
  readonly deviceIds: readonly string[]
  /** Cohort of each row's device; null if it has none or is not in the registry. */
  readonly cohortIds: readonly (string | null)[]
  /** Tag of each row, FEA-22. */
  readonly operatingModes: readonly (string | null)[]
  /** Epoch ms. */
  readonly windowStartMs: Float64Array
  readonly sensorCompleteness: Float64Array
  readonly isLateCreated: Uint8Array
  readonly carried: CarriedValues
}

/** A row of a duration ends here, exclusive. */
export function windowEndMs(rows: FeatureRows, row: number): number {
  return rows.windowStartMs[row]! + rows.durationMinutes * 60_000
}

/**
 * The columns of a model in its order, FEA-42.
 * @throws IsothermError MODEL_INVALID naming the first feature the rows lack
 */
export function selectColumns(
  matrix: FeatureMatrix,
  names: readonly string[],
  isShared = false,
): FeatureMatrix {
  const sources = names.map((name) => {
    const index = matrix.columnNames.indexOf(name)
    if (index >= 0) return index
    throw new IsothermError(
      'MODEL_INVALID',
      `feature ${name} is required by the model, the rows have ${matrix.columnNames.join(', ')}; train a model on the features there are`,
    )
  })
  const bytes = matrix.rowCount * names.length * Float64Array.BYTES_PER_ELEMENT
  const values = new Float64Array(isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes))
  const sourceCount = matrix.columnNames.length
  const columns = Uint32Array.from(sources)
  let out = 0
  for (let row = 0; row < matrix.rowCount; row++) {
    const start = row * sourceCount
    for (let c = 0; c < columns.length; c++) values[out++] = matrix.values[start + columns[c]!]!
  }
  return { values, rowCount: matrix.rowCount, columnNames: names }
}

/** The given rows, ascending, with what is carried for them. */
export function selectFeatureRows(rows: FeatureRows, indices: Uint32Array): FeatureRows {
  const { matrix, carried } = rows
  const columnCount = matrix.columnNames.length
  const values = new Float64Array(indices.length * columnCount)
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i]! * columnCount
    values.set(matrix.values.subarray(start, start + columnCount), i * columnCount)
  }
  const pick = <T>(all: readonly T[]): readonly T[] => Array.from(indices, (row) => all[row]!)
  return {
    durationMinutes: rows.durationMinutes,
    matrix: { values, rowCount: indices.length, columnNames: matrix.columnNames },
    deviceIds: pick(rows.deviceIds),
    cohortIds: pick(rows.cohortIds),
    operatingModes: pick(rows.operatingModes),
    windowStartMs: Float64Array.from(indices, (row) => rows.windowStartMs[row]!),
    sensorCompleteness: Float64Array.from(indices, (row) => rows.sensorCompleteness[row]!),
    isLateCreated: Uint8Array.from(indices, (row) => rows.isLateCreated[row]!),
    carried: selectCarried(carried, indices),
  }
}

function selectCarried(carried: CarriedValues, indices: Uint32Array): CarriedValues {
  const width = carried.columnNames.length
  const carriedAt = new Map<number, number>()
  for (let i = 0; i < carried.rows.length; i++) carriedAt.set(carried.rows[i]!, i)
  const rows: number[] = []
  const sources: number[] = []
  for (let i = 0; i < indices.length; i++) {
    const source = carriedAt.get(indices[i]!)
    if (source === undefined) continue
    rows.push(i)
    sources.push(source)
  }
  const values = new Float64Array(rows.length * width)
  for (let i = 0; i < sources.length; i++) {
    const start = sources[i]! * width
    values.set(carried.values.subarray(start, start + width), i * width)
  }
  return { rows: Uint32Array.from(rows), columnNames: carried.columnNames, values }
}

/** Indices of the rows for which a test holds, ascending. */
export function rowsWhere(rowCount: number, holds: (row: number) => boolean): Uint32Array {
  const rows: number[] = []
  for (let row = 0; row < rowCount; row++) if (holds(row)) rows.push(row)
  return Uint32Array.from(rows)
}
