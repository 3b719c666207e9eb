import { parseStatistics } from '@isotherm/delta'
import type { Lake } from '../../lake/index.ts'

/** Freshness of one table: its newest data time, never its commit time (CON-48). */
export type TableFreshness = {
  readonly table: string
  readonly version: number
  readonly newestDataMs: number | null
  readonly rowCount: number
}

/** The column that tells how new a table's data is; tables without one only report rows. */
const dataTimes: Readonly<Record<string, string>> = {
  raw_sensor_readings: 'timestamp_ingested',
  clean_sensor_readings: 'timestamp_utc',
  quarantine_sensor_readings: 'timestamp_utc',
  dead_letter_messages: 'timestamp_ingested',
  device_features: 'window_end',
  model_scores: 'window_end',
  device_alerts: 'alert_created_at',
  label_events: 'event_timestamp',
}

async function freshnessOf(lake: Lake, name: string): Promise<TableFreshness> {
  const snapshot = await lake.table(name).snapshot()
  const column = dataTimes[name]
  let rowCount = 0
  let newestDataMs: number | null = null
  for (const file of snapshot.files) {
    const statistics = parseStatistics(file)
    rowCount += statistics?.numRecords ?? 0
    const newest = column === undefined ? undefined : statistics?.maxValues.get(column)
    const timeMs = newest === undefined ? Number.NaN : Date.parse(String(newest))
    if (timeMs > (newestDataMs ?? Number.NEGATIVE_INFINITY)) newestDataMs = timeMs
  }
  return { table: name, version: snapshot.version, newestDataMs, rowCount }
}

/** Freshness of every table, from file statistics alone: no data file is opened. */
export async function tableFreshness(lake: Lake): Promise<readonly TableFreshness[]> {
  return Promise.all(lake.tableNames.map((name) => freshnessOf(lake, name)))
}
