import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from '../lake/index.ts'
import type { DeploymentRow } from '../models/index.ts'

/** How late a reading may create a window, FEA-11; doubled, so that a delayed run misses none. */
const lateLimitMs = 2 * 86_400_000

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/**
 * Stages the keys of the windows that a version has scored lately, and gives the SQL condition for
 * windows that were created by late data after their time was scored (FEA-11): they are scored
 * once, and never alert (SRV-4).
 */
export async function lateWindows(
  connection: DuckDBConnection,
  lake: Lake,
  row: DeploymentRow,
  scoredUntilMs: number,
  tableName: string,
): Promise<{ readonly fromMs: number; readonly where: string }> {
  const scores = lake.table('model_scores')
  const snapshot = await scores.snapshot()
  const fromMs = scoredUntilMs - lateLimitMs
  const firstDate = new Date(fromMs).toISOString().slice(0, 10)
  const files = snapshot.files.filter(
    ({ partitionValues }) =>
      (partitionValues.scored_at_date ?? '') >= firstDate &&
      (partitionValues.deployment_role ?? row.deployment_role) === row.deployment_role,
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${tableName} AS
    SELECT device_id, window_start FROM ${scores.relation(snapshot, files)}
    WHERE model_id = ${text(row.model_id)} AND deployment_role = ${text(row.deployment_role)}
      AND window_duration_minutes = ${row.window_duration_minutes}
      AND window_start >= make_timestamptz(${fromMs * 1000})`)
  return {
    fromMs,
    where: `late_created AND (device_id, window_start) NOT IN (SELECT (device_id, window_start) FROM ${tableName})`,
  }
}
