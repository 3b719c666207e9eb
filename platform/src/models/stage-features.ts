import type { DuckDBConnection } from '@duckdb/node-api'
import { type FleetDefinition, featureColumns, quoteName } from '../contracts/index.ts'
import type { FeatureRows, FleetDevice } from './feature-rows.ts'
import { carriedQuery, type FeatureSource, type WindowRange, windowsIn } from './feature-source.ts'
import { readNumericColumns } from './numeric-columns.ts'

/** Feature rows held in a temporary table, sorted, with the values carried over for their nulls. */
export type StagedFeatures = {
  readonly connection: DuckDBConnection
  readonly tableName: string
  readonly rowCount: number
  readonly deviceCount: number
  readonly durationMinutes: number
  readonly columns: readonly string[]
  /** Columns with at least one null among the staged rows. */
  readonly gappedColumns: readonly string[]
  /** Share of nulls per column. */
  readonly nullFractions: Readonly<Record<string, number>>
}

/** What to stage. */
export type StageOptions = {
  readonly source: FeatureSource
  readonly range: WindowRange
  readonly columns: readonly string[]
  /** Temporary table to create. */
  readonly tableName: string
  /** SQL condition on feature rows; default all. */
  readonly where?: string
  /** FROM clause of the rows instead of the plain range; same columns. */
  readonly rows?: string
  /** False skips what FEA-43 would carry forward: for statistics of measured values. */
  readonly isCarried?: boolean
}

const staged = [
  'device_id',
  'window_start',
  'sensor_completeness',
  'late_created',
  'operating_mode',
]

/** Puts the rows in (device, window) order into a temporary table: what is read twice is read once. */
export async function stageFeatures(
  connection: DuckDBConnection,
  options: StageOptions,
): Promise<StagedFeatures> {
  const { source, range, columns, tableName, where = 'true' } = options
  const rows = options.rows ?? windowsIn(source, range)
  const extra = columns.filter((name) => !staged.includes(name))
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${tableName} AS
    SELECT device_id, window_start, sensor_completeness,
      coalesce(late_created, false) AS late_created, operating_mode,
      ${extra.map((name) => `${quoteName(name)}::DOUBLE AS ${quoteName(name)}`).join(', ')}
    FROM ${rows} WHERE ${where} ORDER BY device_id, window_start`)
  const counts = await readNumericColumns(
    connection,
    `SELECT count(*)::DOUBLE, count(DISTINCT device_id)::DOUBLE, ${columns.map((name) => `count(${quoteName(name)})::DOUBLE`).join(', ')}
     FROM ${tableName}`,
    { numberCount: columns.length + 2, textCount: 0, expectedRows: 1 },
  )
  const rowCount = counts.values[0]!
  const gappedColumns =
    options.isCarried === false
      ? []
      : columns.filter((_, index) => counts.values[index + 2]! < rowCount)
  const nullFractions = Object.fromEntries(
    columns.map((name, index) => [
      name,
      rowCount === 0 ? 0 : 1 - counts.values[index + 2]! / rowCount,
    ]),
  )
  await stageCarried(connection, options, gappedColumns)
  const { durationMinutes } = source
  const deviceCount = counts.values[1]!
  return {
    connection,
    tableName,
    rowCount,
    deviceCount,
    durationMinutes,
    columns,
    gappedColumns,
    nullFractions,
  }
}

async function stageCarried(
  connection: DuckDBConnection,
  { source, range, tableName }: StageOptions,
  gapped: readonly string[],
): Promise<void> {
  if (gapped.length === 0) return
  const isGapped = gapped.map((name) => `${quoteName(name)} IS NULL`).join(' OR ')
  const rows = `(SELECT rowid AS row_index, device_id, window_start FROM ${tableName} WHERE ${isGapped})`
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${tableName}_carried AS
     ${carriedQuery(source, range, rows, gapped)} ORDER BY row_index`,
  )
}

/** Reads staged rows [start, end) with their devices' cohorts. */
export async function readStaged(
  stagedFeatures: StagedFeatures,
  start: number,
  end: number,
  cohortOfDevice: ReadonlyMap<string, string | null>,
): Promise<FeatureRows> {
  const { connection, tableName, columns, gappedColumns, durationMinutes } = stagedFeatures
  const width = columns.length
  const read = await readNumericColumns(
    connection,
    `SELECT ${columns.map(measured).join(', ')}, epoch_ms(window_start)::DOUBLE,
       sensor_completeness::DOUBLE, late_created::INTEGER::DOUBLE, device_id,
       operating_mode
     FROM ${tableName} WHERE rowid >= ${start} AND rowid < ${end} ORDER BY rowid`,
    { numberCount: width + 3, textCount: 2, expectedRows: end - start },
  )
  const { rowCount } = read
  const values = new Float64Array(rowCount * width)
  const windowStartMs = new Float64Array(rowCount)
  const sensorCompleteness = new Float64Array(rowCount)
  const isLateCreated = new Uint8Array(rowCount)
  for (let row = 0; row < rowCount; row++) {
    const from = row * (width + 3)
    for (let c = 0; c < width; c++) values[row * width + c] = read.values[from + c]!
    windowStartMs[row] = read.values[from + width]!
    sensorCompleteness[row] = read.values[from + width + 1]!
    isLateCreated[row] = read.values[from + width + 2]!
  }
  const deviceIds = read.texts[0]!.map(String)
  return {
    durationMinutes,
    matrix: { values, rowCount, columnNames: columns },
    deviceIds,
    cohortIds: deviceIds.map((id) => cohortOfDevice.get(id) ?? null),
    operatingModes: read.texts[1]!,
    windowStartMs,
    sensorCompleteness,
    isLateCreated,
    carried:
      gappedColumns.length === 0
        ? { rows: new Uint32Array(0), columnNames: [], values: new Float64Array(0) }
        : await readCarried(stagedFeatures, start, end),
  }
}

function measured(name: string): string {
  return `coalesce(${quoteName(name)}, 'nan'::DOUBLE)::DOUBLE`
}

async function readCarried(
  { connection, tableName, gappedColumns }: StagedFeatures,
  start: number,
  end: number,
): Promise<FeatureRows['carried']> {
  const width = gappedColumns.length
  const read = await readNumericColumns(
    connection,
    `SELECT row_index::DOUBLE, ${gappedColumns.map(quoteName).join(', ')}
     FROM ${tableName}_carried
     WHERE row_index >= ${start} AND row_index < ${end} ORDER BY row_index`,
    { numberCount: width + 1, textCount: 0, expectedRows: 1024 },
  )
  const rows = new Uint32Array(read.rowCount)
  const values = new Float64Array(read.rowCount * width)
  for (let i = 0; i < read.rowCount; i++) {
    rows[i] = read.values[i * (width + 1)]! - start
    values.set(read.values.subarray(i * (width + 1) + 1, (i + 1) * (width + 1)), i * width)
  }
  return { rows, columnNames: gappedColumns, values }
}

/** Cohort by device, for rows read from the lake. */
export function cohortsOf(devices: readonly FleetDevice[]): ReadonlyMap<string, string | null> {
  return new Map(devices.map(({ device_id, cohort_id }) => [device_id, cohort_id]))
}

/** All numeric feature columns of a fleet. */
export function allFeatureNames(fleet: FleetDefinition): readonly string[] {
  return featureColumns(fleet).map(({ name }) => name)
}
