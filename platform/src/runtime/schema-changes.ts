import type { DuckDBConnection } from '@duckdb/node-api'
import {
  type FleetDefinition,
  quoteName,
  type SchemaChangeRow,
  schemaChangeLog,
} from '../contracts/index.ts'
import { type JobContext, type Lake, withRows } from '../lake/index.ts'
import { uuidV5 } from '../objects/index.ts'

/** Tables whose columns people train on: contracts 1, 2 and 3. */
const trackedTables = ['raw_sensor_readings', 'clean_sensor_readings', 'device_features'] as const

/** Coverage of a column, percent, from which it can be trained on, ING-50. */
const viableCoverage = 80

/** What a run of the change log did. */
export type SchemaChangeOutcome = { readonly added: readonly string[]; readonly isWritten: boolean }

type Options = {
  /** Also measure how many devices have values, which reads the feature table; default false. */
  readonly withCoverage?: boolean
}

const key = (table: string, column: string) => `${table}.${column}`
const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

async function storedRows(
  lake: Lake,
  connection: DuckDBConnection,
): Promise<readonly SchemaChangeRow[]> {
  const table = lake.table(schemaChangeLog.name)
  const columns = schemaChangeLog.columns.map(({ name }) => quoteName(name)).join(', ')
  const relation = table.relation(await table.snapshot())
  const reader = await connection.runAndReadAll(`SELECT ${columns} FROM ${relation}`)
  return reader.getRowObjects().map((row) => {
    const text = (name: string) => (typeof row[name] === 'string' ? row[name] : null)
    const share = row.fleet_coverage_pct
    return {
      change_id: text('change_id') ?? '',
      table_name: text('table_name') ?? '',
      column_name: text('column_name') ?? '',
      contract_version: text('contract_version') ?? '',
      date_added: text('date_added') ?? '',
      date_deprecated: text('date_deprecated'),
      fleet_coverage_pct: typeof share === 'number' ? share : null,
      min_viable_training_date: text('min_viable_training_date'),
      notes: text('notes'),
    }
  })
}

/** Every column the tracked tables have, with what is known of it and what its contract says. */
async function currentRows(
  lake: Lake,
  stored: readonly SchemaChangeRow[],
  today: string,
): Promise<readonly SchemaChangeRow[]> {
  const known = new Map(stored.map((row) => [key(row.table_name, row.column_name), row]))
  const rows: SchemaChangeRow[] = []
  for (const name of trackedTables) {
    const { contract, snapshot } = lake.table(name)
    const { schema } = await snapshot()
    const isFirst = !stored.some(({ table_name: table }) => table === name)
    for (const { name: column } of schema.fields) {
      const declared = contract.columns.find((one) => one.name === column)
      const before = known.get(key(name, column))
      const { version } = contract
      const added: SchemaChangeRow = {
        change_id: uuidV5('schema_change', name, column),
        table_name: name,
        column_name: column,
        contract_version: version,
        date_added: today,
        date_deprecated: null,
        fleet_coverage_pct: null,
        min_viable_training_date: null,
        notes: isFirst ? 'there from the start' : `added by version ${version}; null before`,
      }
      const date = declared?.deprecatedOn ?? before?.date_deprecated ?? null
      rows.push({ ...(before ?? added), date_deprecated: date })
    }
  }
  return rows
}

/** Feature column whose presence stands for a column: itself, or the first of a sensor's. */
function coveringFeature(
  fleet: FleetDefinition,
  features: ReadonlySet<string>,
  { table_name: table, column_name: column }: SchemaChangeRow,
): string | undefined {
  const sensor = fleet.sensors.find(({ name }) => name === column)
  const [aggregate] = sensor?.aggregates ?? []
  const feature =
    table === 'device_features'
      ? column
      : sensor === undefined || aggregate === undefined
        ? undefined
        : `${sensor.short}_${aggregate}`
  return feature !== undefined && features.has(feature) ? feature : undefined
}

/** Percent of devices with values per date, oldest first, for each of some feature columns. */
async function coverageByDate(
  lake: Lake,
  connection: DuckDBConnection,
  columns: readonly string[],
): Promise<readonly { readonly date: string; readonly percent: ReadonlyMap<string, number> }[]> {
  if (columns.length === 0) return []
  const table = lake.table('device_features')
  const minutes = Math.max(...lake.fleet.windowMinutes)
  const has = columns.map((name, i) => `bool_or(${quoteName(name)} IS NOT NULL) AS has_${i}`)
  const shares = columns.map((_, i) => `100 * avg(has_${i}::INTEGER)::DOUBLE AS share_${i}`)
  const reader = await connection.runAndReadAll(
    `SELECT window_date, ${shares.join(', ')} FROM (
      SELECT window_date, device_id, ${has.join(', ')}
      FROM ${table.relation(await table.snapshot())}
      WHERE window_duration_minutes = ${minutes} GROUP BY window_date, device_id
    ) GROUP BY window_date ORDER BY window_date`,
  )
  return reader.getRowObjects().map((row) => ({
    date: String(row.window_date),
    percent: new Map(columns.map((name, i) => [name, Number(row[`share_${i}`])])),
  }))
}

async function withCoverage(
  lake: Lake,
  connection: DuckDBConnection,
  rows: readonly SchemaChangeRow[],
): Promise<readonly SchemaChangeRow[]> {
  const stored = lake.table('device_features').contract.columns
  const features = new Set(
    stored.filter(({ type }) => type === 'double' || type === 'integer').map(({ name }) => name),
  )
  const covering = rows.map((row) => coveringFeature(lake.fleet, features, row))
  const columns = [...new Set(covering.filter((name) => name !== undefined))]
  const dates = await coverageByDate(lake, connection, columns)
  return rows.map((row, i) => {
    const feature = covering[i]
    if (feature === undefined) return row
    const percent = dates.at(-1)?.percent.get(feature)
    const viable = dates.find((one) => (one.percent.get(feature) ?? 0) > viableCoverage)?.date
    return {
      ...row,
      fleet_coverage_pct: percent ?? row.fleet_coverage_pct,
      // The first date stays, also when later days fall short or old rows have gone.
      min_viable_training_date: row.min_viable_training_date ?? viable ?? null,
    }
  })
}

/**
 * Keeps `schema_change_log`, ING-50: a row for each column of the reading and feature tables, from
 * the day the stored table has it; its retirement; and, when asked, which share of the fleet has
 * values and from which date it can be trained on. Writes only when something changed.
 */
export async function schemaChangeJob(
  { lake, nowMs }: JobContext,
  options: Options = {},
): Promise<SchemaChangeOutcome> {
  return lake.withConnection(async (connection) => {
    const table = lake.table(schemaChangeLog.name)
    const snapshot = await table.snapshot()
    const stored = await storedRows(lake, connection)
    const current = await currentRows(lake, stored, dateOf(nowMs))
    const rows =
      options.withCoverage === true ? await withCoverage(lake, connection, current) : current
    const known = new Set(stored.map((row) => key(row.table_name, row.column_name)))
    const names = rows.map((row) => key(row.table_name, row.column_name))
    const added = names.filter((name) => !known.has(name))
    // A column that is gone from its table stays in the log: the archive keeps it, CON-51.
    const gone = stored.filter((row) => !names.includes(key(row.table_name, row.column_name)))
    const inOrder = (list: readonly SchemaChangeRow[]) =>
      JSON.stringify(list.toSorted((a, b) => a.change_id.localeCompare(b.change_id)))
    const wanted = [...rows, ...gone]
    if (inOrder(wanted) === inOrder(stored)) return { added, isWritten: false }
    await withRows(lake.temporaryDirectory, schemaChangeLog, wanted, (relation) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        replaces: snapshot.files,
        readVersion: snapshot.version,
        operation: 'SCHEMA CHANGES',
        nowMs,
      }),
    )
    return { added, isWritten: true }
  })
}
