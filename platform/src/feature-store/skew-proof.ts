import { createHash } from 'node:crypto'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlText } from '../clean/index.ts'
import { type DeviceRow, quoteName } from '../contracts/index.ts'
import { computeRange, featureVersion } from '../features/index.ts'
import { type JobContext, type Lake, withRows } from '../lake/index.ts'
import type { OnlineFeatures } from './online.ts'
import type { OnlineRow } from './online-rows.ts'

/** One served value that is not what its readings give. */
export type SkewDifference = {
  readonly deviceId: string
  readonly durationMinutes: number
  readonly windowStartMs: number
  /** Feature, or `row` when the readings give no such row. */
  readonly feature: string
  readonly served: number | null
  readonly recomputed: number | null
}

/** Verdict of a skew proof. */
export type SkewVerdict = {
  readonly checkedAtMs: number
  readonly featureVersion: string
  /** Version of `device_features` that was served. */
  readonly servedVersion: number
  readonly checkedCount: number
  /** Rows with at least one difference. */
  readonly differingCount: number
  /** Served rows of other definitions than the fleet's: not recomputable, counted apart. */
  readonly otherVersionCount: number
  /** The first differences, at most 20. */
  readonly differences: readonly SkewDifference[]
}

/** How many rows and which. */
export type SkewOptions = {
  readonly devices: readonly DeviceRow[]
  /** Default 1,000, CON-47. */
  readonly count?: number
  /** Chooses the rows: the same seed and rows give the same choice. */
  readonly seed: number
}

const maxExamples = 20
const wantedWindows = 'skew_windows'

/** Rows with the smallest hash of seed and key: a random choice that does not depend on order. */
function chosenRows(rows: Iterable<OnlineRow>, count: number, seed: number): readonly OnlineRow[] {
  return [...rows]
    .map((row) => {
      const key = `${seed}/${row.durationMinutes}/${row.deviceId}`
      return { row, draw: createHash('sha256').update(key).digest('hex') }
    })
    .toSorted((a, b) => (a.draw < b.draw ? -1 : a.draw > b.draw ? 1 : 0))
    .slice(0, count)
    .map(({ row }) => row)
}

type Recomputed = ReadonlyMap<string, readonly (number | null)[]>

/** Computes rows of one duration, window and clean version again from their readings. */
async function recompute(
  { lake, nowMs }: JobContext,
  connection: DuckDBConnection,
  rows: readonly OnlineRow[],
  devices: readonly DeviceRow[],
  columns: readonly string[],
): Promise<Recomputed> {
  const [first] = rows
  if (first === undefined) return new Map()
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${wantedWindows} AS
    SELECT unnest([${rows.map(({ deviceId }) => sqlText(deviceId)).join(', ')}]) AS device_id,
      ${first.windowStartMs}::BIGINT AS start_ms`)
  const clean = lake.table('clean_sensor_readings')
  const computed = await computeRange({
    connection,
    fleet: lake.fleet,
    devices,
    clean,
    cleanSnapshot: await clean.snapshot({ version: first.cleanVersion }),
    features: lake.table('device_features'),
    durationMinutes: first.durationMinutes,
    startMs: first.windowStartMs,
    endMs: first.windowEndMs,
    keys: wantedWindows,
    nowMs,
  })
  const read = await connection.runAndReadAll(
    `SELECT device_id, ${columns.map((name) => `${quoteName(name)}::DOUBLE`).join(', ')} FROM ${computed}`,
  )
  return new Map(
    read
      .getRowsJS()
      .map(([deviceId, ...values]) => [
        String(deviceId),
        values.map((value) => (typeof value === 'number' ? value : null)),
      ]),
  )
}

function differencesOf(
  row: OnlineRow,
  recomputed: readonly (number | null)[] | undefined,
  columns: readonly string[],
): readonly SkewDifference[] {
  const { deviceId, durationMinutes, windowStartMs, values } = row
  const where = { deviceId, durationMinutes, windowStartMs }
  if (recomputed === undefined) {
    return [{ ...where, feature: 'row', served: null, recomputed: null }]
  }
  return columns.flatMap((feature, index) => {
    const served = values[index] ?? null
    const own = recomputed[index] ?? null
    return Object.is(served, own) ? [] : [{ ...where, feature, served, recomputed: own }]
  })
}

/**
 * Computes random served rows again from the readings of the clean version they name, and compares
 * them bit for bit (FEA-53, CON-47).
 * Cost: one pass over a window's readings per duration, window and clean version among the rows.
 */
export async function proveOnline(
  context: JobContext,
  online: OnlineFeatures,
  { devices, count = 1000, seed }: SkewOptions,
): Promise<SkewVerdict> {
  const { lake, nowMs } = context
  const version = featureVersion(lake.fleet)
  const all = [...online.rows()]
  const own = all.filter((row) => row.featureVersion === version)
  const rows = chosenRows(own, count, seed)
  const groups = Map.groupBy(
    rows,
    (row) => `${row.durationMinutes}/${row.windowStartMs}/${row.cleanVersion}`,
  )
  const differences: SkewDifference[] = []
  let differingCount = 0
  let done = 0
  await lake.withConnection(async (connection) => {
    for (const group of groups.values()) {
      const recomputed = await recompute(context, connection, group, devices, online.columns)
      for (const row of group) {
        const found = differencesOf(row, recomputed.get(row.deviceId), online.columns)
        if (found.length > 0) differingCount += 1
        differences.push(...found.slice(0, maxExamples - differences.length))
      }
      done += group.length
      context.onProgress?.('rows recomputed', done, rows.length)
    }
  })
  return {
    checkedAtMs: nowMs,
    featureVersion: version,
    servedVersion: online.served()?.version ?? -1,
    checkedCount: rows.length,
    differingCount,
    otherVersionCount: all.length - own.length,
    differences,
  }
}

/** Keeps a verdict in `feature_skew_verdicts`. */
export async function storeVerdict(lake: Lake, verdict: SkewVerdict): Promise<void> {
  const table = lake.table('feature_skew_verdicts')
  const row = {
    checked_at: verdict.checkedAtMs,
    feature_version: verdict.featureVersion,
    snapshot_id: `device_features@v${verdict.servedVersion}`,
    checked_count: verdict.checkedCount,
    differing_count: verdict.differingCount,
    other_version_count: verdict.otherVersionCount,
    verdict: verdict.checkedCount === 0 ? 'EMPTY' : verdict.differingCount === 0 ? 'OK' : 'SKEW',
    differences: verdict.differences.map((one) => JSON.stringify(one)),
  }
  await withRows(lake.temporaryDirectory, table.contract, [row], (relation) =>
    lake.withConnection((connection) =>
      table.write({
        connection,
        query: `SELECT * FROM ${relation}`,
        operation: 'SKEW PROOF',
        nowMs: verdict.checkedAtMs,
      }),
    ),
  )
}
