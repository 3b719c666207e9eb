import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from '../lake/index.ts'
import {
  type DeploymentRow,
  type FeatureSource,
  type WindowRange,
  windowsIn,
} from '../models/index.ts'

/** How late a reading may create a window, FEA-11; doubled, so that a delayed run misses none. */
const lateLimitMs = 2 * 86_400_000

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/**
 * Windows created by late data after their time was scored (FEA-11): they are scored once, and
 * never alert (SRV-4). Their keys are left in the temporary table `late_keys`. Scores are read only
 * when there is such a window, and then for its devices.
 * @returns the range of window starts and the SQL condition to read them, undefined without any
 */
export async function lateWindows(
  connection: DuckDBConnection,
  lake: Lake,
  source: FeatureSource,
  row: DeploymentRow,
  scoredUntilMs: number,
): Promise<{ readonly range: WindowRange; readonly where: string } | undefined> {
  const range = {
    startMs: scoredUntilMs - lateLimitMs,
    endMs: scoredUntilMs - source.durationMinutes * 60_000 + 1,
  }
  await connection.run(`CREATE OR REPLACE TEMP TABLE late_keys AS
    SELECT device_id, window_start FROM ${windowsIn(source, range)} WHERE late_created`)
  if ((await keyCount(connection)) === 0) return undefined
  const scores = lake.table('model_scores')
  const snapshot = await scores.snapshot()
  const firstDate = new Date(range.startMs).toISOString().slice(0, 10)
  const files = snapshot.files.filter(
    ({ partitionValues }) =>
      (partitionValues.scored_at_date ?? '') >= firstDate &&
      (partitionValues.deployment_role ?? row.deployment_role) === row.deployment_role,
  )
  await connection.run(`DELETE FROM late_keys WHERE (device_id, window_start) IN (
    SELECT (device_id, window_start) FROM ${scores.relation(snapshot, files)}
    WHERE model_id = ${text(row.model_id)} AND deployment_role = ${text(row.deployment_role)}
      AND window_duration_minutes = ${row.window_duration_minutes}
      AND device_id IN (SELECT device_id FROM late_keys))`)
  if ((await keyCount(connection)) === 0) return undefined
  const keys = 'SELECT (device_id, window_start) FROM late_keys'
  return { range, where: `late_created AND (device_id, window_start) IN (${keys})` }
}

async function keyCount(connection: DuckDBConnection): Promise<number> {
  const counted = await connection.runAndReadAll('SELECT count(*)::INTEGER FROM late_keys')
  return Number(counted.getRows()[0]?.[0])
}
