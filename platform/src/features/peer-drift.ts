import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlText } from '../clean/index.ts'
import { type FleetDefinition, featureColumns, quoteName } from '../contracts/index.ts'
import { duckdbDialect } from './algebra/dialect.ts'
import { type RowSources, rowFeaturesQuery } from './algebra/row-query.ts'

/** A device that moved away from its peers. */
export type PeerDrift = {
  readonly deviceId: string
  readonly cohortId: string
  readonly feature: string
  /** How far its distance from the cohort's median moved, in the feature's unit. */
  readonly change: number
  /** The same in robust spreads of what its peers moved. */
  readonly spreads: number
}

/** What to compare. */
export type PeerDriftRequest = {
  readonly sources: Pick<RowSources, 'rows' | 'cohorts'>
  readonly minutes: number
  /** End of the recent time, epoch ms; windows after it are not looked at. */
  readonly untilMs: number
  /** Stored features; default all but those of data quality. */
  readonly features?: readonly string[]
  /** Default 1 day, against the 7 days before it. */
  readonly recentDays?: number
  readonly referenceDays?: number
  /** Spreads from which a device is named, default 6: one in 10^8 of a normal peer group. */
  readonly limit?: number
}

const dayMs = 86_400_000
/** Spread of a normal distribution per median absolute deviation. */
const madToSigma = 1.4826
/** Share of the windows of each span that must have a value. */
const minShare = 0.5

function driftQuery(
  fleet: FleetDefinition,
  feature: string,
  resolution: number,
  request: Required<PeerDriftRequest>,
): string {
  const { sources, minutes, untilMs, recentDays, referenceDays, limit } = request
  const recentMs = untilMs - recentDays * dayMs
  const name = `${feature}_cohort_diff`
  const rows = rowFeaturesQuery(
    duckdbDialect,
    fleet,
    [name],
    { ...sources, baselines: '' },
    { minutes, startMs: recentMs - referenceDays * dayMs, endMs: untilMs },
  )
  const isRecent = `epoch_ms(window_start) >= ${recentMs}`
  const value = quoteName(name)
  const needed = (days: number) => (minShare * days * 1440) / minutes
  return `WITH moved AS (
      SELECT device_id, cohort_id, median(${value}) FILTER (${isRecent})
          - median(${value}) FILTER (NOT ${isRecent}) AS change
      FROM (${rows}) AS rows JOIN ${sources.cohorts} AS cohorts USING (device_id)
      GROUP BY device_id, cohort_id
      HAVING count(${value}) FILTER (${isRecent}) >= ${needed(recentDays)}
        AND count(${value}) FILTER (NOT ${isRecent}) >= ${needed(referenceDays)}),
    peers AS (SELECT cohort_id, median(change) AS middle,
        greatest(${madToSigma} * mad(change), ${resolution}) AS spread
      FROM moved GROUP BY cohort_id)
    SELECT device_id, cohort_id, ${sqlText(feature)} AS feature, change - middle AS change,
      (change - middle) / spread AS spreads
    FROM moved JOIN peers USING (cohort_id) WHERE abs(change - middle) > ${limit} * spread`
}

/**
 * Devices that drifted away from their cohort, farthest first, FEA-28 and FEA-36: the distance from
 * the cohort's median now against a week before. What moves all peers, as the weather does, moves
 * the median with them; units that answer it more or less than others widen the spread.
 * Cost: one pass over the windows of both spans per feature.
 */
export async function peerDrift(
  connection: DuckDBConnection,
  fleet: FleetDefinition,
  request: PeerDriftRequest,
): Promise<readonly PeerDrift[]> {
  const columns = featureColumns(fleet).filter(({ source }) => source.kind !== 'quality')
  const wanted = request.features ?? columns.map(({ name }) => name)
  const whole = { recentDays: 1, referenceDays: 7, limit: 6, ...request, features: wanted }
  const found: PeerDrift[] = []
  for (const { name, resolution } of columns.filter((column) => wanted.includes(column.name))) {
    const reader = await connection.runAndReadAll(driftQuery(fleet, name, resolution, whole))
    for (const row of reader.getRowObjectsJS()) {
      found.push({
        deviceId: String(row.device_id),
        cohortId: String(row.cohort_id),
        feature: String(row.feature),
        change: Number(row.change),
        spreads: Number(row.spreads),
      })
    }
  }
  return found.toSorted((a, b) => Math.abs(b.spreads) - Math.abs(a.spreads))
}
