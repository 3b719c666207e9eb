import type { DuckDBConnection } from '@duckdb/node-api'
import type { LimitRule } from '../contracts/index.ts'
import type { FleetDevice } from './feature-rows.ts'
import { type FeatureSource, sqlText, type WindowRange } from './feature-source.ts'
import {
  type BaselineSpec,
  type DeviceFit,
  type DeviceStatistics,
  deviceStatisticsIn,
  joinDeviceStatistics,
} from './fit-baseline.ts'
import { readNumericColumns } from './numeric-columns.ts'
import { cohortsOf, readStaged, stageFeatures } from './stage-features.ts'
import { judgedRows } from './training-rows.ts'

/** Rows of whole device histories held in memory at once: about 200 MB of 24 features. */
const chunkRows = 1_000_000

/** A device and how many usable rows it has. */
type DeviceHistory = { readonly deviceId: string; readonly rowCount: number }

/**
 * Devices with enough history of their own in the data period (MOD-15), ascending. The registry
 * must be staged on the connection.
 */
export async function readyDevices(
  connection: DuckDBConnection,
  source: FeatureSource,
  period: WindowRange,
  spec: BaselineSpec,
  limits: readonly LimitRule[],
): Promise<readonly DeviceHistory[]> {
  const read = await readNumericColumns(
    connection,
    `SELECT count(*)::DOUBLE, device_id FROM ${judgedRows(source, period, limits)}
     WHERE exclusion IS NULL GROUP BY device_id
     HAVING count(*) >= ${spec.minDeviceRows}
       AND epoch_ms(max(window_end)) - epoch_ms(min(window_start)) >= ${spec.minDeviceDays * 86_400_000}
     ORDER BY device_id`,
    { numberCount: 1, textCount: 1, expectedRows: 1024 },
  )
  return (read.texts[0] ?? []).map((deviceId, index) => ({
    deviceId: String(deviceId),
    rowCount: read.values[index]!,
  }))
}

/** Statistics of the ready devices over a range, read device by device in bounded chunks. */
export async function readDeviceStatistics(
  connection: DuckDBConnection,
  source: FeatureSource,
  options: {
    readonly range: WindowRange
    readonly histories: readonly DeviceHistory[]
    readonly fit: DeviceFit
    readonly limits: readonly LimitRule[]
    readonly devices: readonly FleetDevice[]
  },
): Promise<DeviceStatistics> {
  const { range, histories, fit, limits, devices } = options
  const { features } = fit
  const cohorts = cohortsOf(devices)
  const parts: DeviceStatistics[] = []
  for (const chunk of chunksOf(histories)) {
    const ids = chunk.map(({ deviceId }) => deviceId)
    const first = sqlText(ids[0] ?? '')
    const last = sqlText(ids[ids.length - 1] ?? '')
    const staged = await stageFeatures(connection, {
      source,
      range,
      columns: features,
      tableName: 'device_history',
      rows: judgedRows(source, range, limits, `f.device_id BETWEEN ${first} AND ${last}`),
      where: 'exclusion IS NULL',
      isCarried: false,
    })
    const rows = await readStaged(staged, 0, staged.rowCount, cohorts)
    parts.push(deviceStatisticsIn(rows, fit, ids))
  }
  return joinDeviceStatistics(parts, features.length)
}

function chunksOf(histories: readonly DeviceHistory[]): readonly (readonly DeviceHistory[])[] {
  const chunks: DeviceHistory[][] = []
  let rowCount = Number.POSITIVE_INFINITY
  for (const history of histories) {
    if (rowCount + history.rowCount > chunkRows) {
      chunks.push([])
      rowCount = 0
    }
    chunks[chunks.length - 1]?.push(history)
    rowCount += history.rowCount
  }
  return chunks
}
