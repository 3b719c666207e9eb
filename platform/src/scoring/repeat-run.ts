import type { Lake } from '../lake/index.ts'
import type { DeploymentRow } from '../models/index.ts'
import { uuidV5 } from '../objects/index.ts'
import type { ScoringOptions } from './job.ts'
import { outcomeOf } from './outcome.ts'
import { runUnit } from './run-unit.ts'
import type { ScoringOutcome } from './scored-window.ts'
import { positionName, scoringUnits } from './scoring-plan.ts'

/**
 * The outcome of the newest run in `model_scores` once more, without writing: for alerting after a
 * crash between scores and alerts. Scores are recomputed from the target windows (they are
 * deterministic, MOD-9), with run id and score ids of the original. Rows of other windows of that
 * run are not repeated: they may not alert. A window recomputed since then by late data (FEA-10)
 * gives its new values.
 * @returns undefined if nothing was scored yet
 */
export async function repeatLastRun(
  lake: Lake,
  options: Pick<ScoringOptions, 'registry' | 'devices' | 'batchRows'>,
): Promise<ScoringOutcome | undefined> {
  const table = lake.table('model_scores')
  const snapshot = await table.snapshot()
  const last = await newestRun(lake)
  if (last === undefined) return undefined
  const context = { lake, nowMs: last.scoredAtMs }
  const runId = uuidV5('scoring', new Date(last.scoredAtMs).toISOString())
  const deployed = await options.registry.deployed(last.scoredAtMs)
  const results = []
  for (const minutes of lake.fleet.windowMinutes) {
    const champions = deployed.filter(
      (row) => row.window_duration_minutes === minutes && last.names.has(positionName(row)),
    )
    for (const [untilMs, rows] of byPosition(champions, snapshot.transactions)) {
      const pending = rows.map((row) => ({ row, afterMs: untilMs - minutes * 60_000 }))
      for (const unit of scoringUnits(pending, untilMs)) {
        const repeatOfVersion = snapshot.version
        results.push(...(await runUnit(context, { ...options, unit, runId, repeatOfVersion })))
      }
    }
  }
  return outcomeOf(runId, last.scoredAtMs, results)
}

function byPosition(
  rows: readonly DeploymentRow[],
  positions: ReadonlyMap<string, number>,
): ReadonlyMap<number, readonly DeploymentRow[]> {
  return Map.groupBy(rows, (row) => (positions.get(positionName(row)) ?? 0) * 1000)
}

/** Time of the newest run, and the champions that took part in it by their position's name. */
async function newestRun(
  lake: Lake,
): Promise<{ readonly scoredAtMs: number; readonly names: ReadonlySet<string> } | undefined> {
  const table = lake.table('model_scores')
  const snapshot = await table.snapshot()
  const dates = snapshot.files.map(({ partitionValues }) => partitionValues.scored_at_date ?? '')
  const newest = dates.toSorted().at(-1)
  if (newest === undefined) return undefined
  const files = snapshot.files.filter(
    ({ partitionValues }) => partitionValues.scored_at_date === newest,
  )
  const rows = await lake.withConnection((connection) =>
    connection.runAndReadAll(`SELECT DISTINCT model_id, window_duration_minutes, model_version,
        epoch_ms(scored_at)::DOUBLE
      FROM ${table.relation(snapshot, files)} WHERE deployment_role = 'champion'
      QUALIFY scored_at = max(scored_at) OVER ()`),
  )
  const found = rows.getRows()
  if (found.length === 0) return undefined
  const names = found.map(
    ([modelId, minutes, version]) => `scores/${modelId}/${minutes}/champion/${version}`,
  )
  return { scoredAtMs: Number(found[0]?.[3]), names: new Set(names) }
}
