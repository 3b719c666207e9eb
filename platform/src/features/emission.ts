import type { DuckDBConnection } from '@duckdb/node-api'
import type { AddFile, Snapshot } from '@isotherm/delta'
import { countRows, sqlText, timeSpan } from '../clean/index.ts'
import { type DeviceRow, type FleetDefinition, IsothermError } from '../contracts/index.ts'
import type { LakeTable } from '../lake/index.ts'
import { duckdbDialect } from './algebra/dialect.ts'
import { featureQuery, type Provenance } from './algebra/feature-query.ts'
import { windowSumsQuery } from './algebra/window-sums.ts'
import { faultCounts, featureChecks } from './feature-checks.ts'
import { createOwnSensors, ownSensorsTable } from './own-sensors.ts'

/** Clean rows summed up in one go; more are done in parts by device. */
const maxRowsPerPass = 12_000_000

/** Where feature rows wait until they are committed. */
export const pendingRows = 'pending_features'

/** Everything a computation reads; one per run. */
export type FeatureSource = {
  readonly connection: DuckDBConnection
  readonly fleet: FleetDefinition
  readonly devices: readonly DeviceRow[]
  readonly clean: LakeTable
  /** Pinned for the run. */
  readonly cleanSnapshot: Snapshot
}

/** Live clean files that may hold readings of [startMs, endMs). */
export function filesBetween(
  snapshot: Snapshot,
  startMs: number,
  endMs: number,
): readonly AddFile[] {
  return snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return minMs < endMs && maxMs >= startMs
  })
}

/** SQL conditions that cut the fleet into parts of about equal size; together they cover all ids. */
function deviceParts(
  devices: readonly DeviceRow[],
  partCount: number,
): readonly (string | undefined)[] {
  if (partCount <= 1) return [undefined]
  const ids = [...new Set(devices.map(({ device_id }) => device_id))].toSorted((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  const bounds = Array.from(
    { length: partCount - 1 },
    (_, index) => ids[Math.floor(((index + 1) * ids.length) / partCount)] ?? '',
  )
  return Array.from({ length: partCount }, (_, index) => {
    const low = bounds[index - 1]
    const high = bounds[index]
    return [
      ...(low === undefined ? [] : [`device_id >= ${sqlText(low)}`]),
      ...(high === undefined ? [] : [`device_id < ${sqlText(high)}`]),
    ].join(' AND ')
  })
}

/** Creates the empty table of pending rows with the contract's columns. */
export async function createPending(
  connection: DuckDBConnection,
  features: LakeTable,
): Promise<void> {
  const snapshot = await features.snapshot()
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${pendingRows} AS
      SELECT * FROM ${features.relation(snapshot, [])}`,
  )
}

/**
 * Adds to the pending rows the windows of one duration in [startMs, endMs), or only those that a key
 * table names.
 */
export async function computeWindows(
  source: FeatureSource,
  provenance: Provenance,
  range: { readonly startMs: number; readonly endMs: number; readonly keys?: string },
): Promise<void> {
  const { connection, fleet, devices, clean, cleanSnapshot } = source
  const files = filesBetween(cleanSnapshot, range.startMs, range.endMs)
  if (files.length === 0) return
  const relation = clean.relation(cleanSnapshot, files)
  await createOwnSensors(connection, devices)
  const rowCount = range.keys === undefined ? countRows(files) : 0
  for (const part of deviceParts(devices, Math.ceil(rowCount / maxRowsPerPass))) {
    const sums = windowSumsQuery(duckdbDialect, fleet, {
      relation,
      rule: provenance.rule,
      ...range,
      ...(part === undefined ? {} : { devices: part }),
    })
    await connection.run(`CREATE OR REPLACE TEMP TABLE window_sums AS ${sums}`)
    const tables = { sums: 'window_sums', ownSensors: ownSensorsTable }
    const rows = featureQuery(duckdbDialect, fleet, tables, provenance)
    await connection.run(`INSERT INTO ${pendingRows} BY NAME ${rows}`)
  }
  await connection.run('DROP TABLE IF EXISTS window_sums')
}

/** FEA-23. @throws IsothermError GATE_FAILED with the check and up to 20 rows that fail it */
export async function checkPending(
  connection: DuckDBConnection,
  fleet: FleetDefinition,
): Promise<void> {
  const checks = featureChecks(fleet)
  const [counts] = (await connection.runAndReadAll(faultCounts(checks, pendingRows))).getRowsJS()
  if ((counts?.at(-1) ?? 0) !== 0) {
    throw new IsothermError(
      'GATE_FAILED',
      `device_features: check E3.1 (unique key) fails for ${counts?.at(-1)} keys; nothing committed`,
    )
  }
  const failed = checks.findIndex((_, index) => counts?.[index] !== 0 && counts?.[index] !== null)
  const check = checks[failed]
  if (check === undefined) return
  const samples = await connection.runAndReadAll(
    `SELECT device_id || ' at ' || window_start::VARCHAR || ' over ' || window_duration_minutes ||
      ' min' FROM ${pendingRows} WHERE ${check.fault} LIMIT 20`,
  )
  throw new IsothermError(
    'GATE_FAILED',
    `device_features: check ${check.id} fails for ${counts?.[failed]} rows, for example ` +
      `${samples.getRowsJS().flat().join('; ')}; nothing committed`,
  )
}
