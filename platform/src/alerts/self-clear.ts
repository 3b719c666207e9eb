import { type AlertChange, type AlertRecord, isActive } from '../objects/index.ts'
import { isScoredModel, ruleModelIds, type ScoringRun } from './scored-window.ts'
import { isQuiet } from './streaming-verdict.ts'

/** Runs in a row without a flag that end an episode, SRV-40. */
const quietRunsToClear = 3

function judge(record: AlertRecord, run: ScoringRun): AlertChange | undefined {
  const { row, tracking } = record
  const evidence = run.evidence(row.device_id)
  if (evidence === undefined || evidence.windows.length === 0) return undefined
  const families = row.contributing_model_ids ?? [row.model_id]
  // A fallback alert has no family of its own: any batch run can find the device usual again.
  const isFallback = row.model_id === ruleModelIds.fallback
  if (!isFallback && !families.some((family) => run.modelIds.includes(family))) return undefined
  const windowEndMs = Math.max(...evidence.windows.map((window) => window.windowEndMs))
  if (windowEndMs <= (tracking.quietWindowEndMs ?? 0)) return undefined
  const quietRuns = isQuiet(evidence) ? tracking.quietRuns + 1 : 0
  if (quietRuns >= quietRunsToClear) return { kind: 'self_clear', alertId: row.alert_id }
  if (quietRuns === 0 && tracking.quietRuns === 0) return undefined
  return { kind: 'quiet', alertId: row.alert_id, quietRuns, windowEndMs }
}

/**
 * Ends the episodes whose evidence is gone, SRV-40: not flagged in the target windows of three
 * consecutive runs of their models, score below 0.6, sensors present. A run counts once however
 * often it is repeated; a device that was not scored counts neither way.
 * @param flaggedDevices devices with a candidate in this run
 */
export function decideSelfClears(
  active: readonly AlertRecord[],
  run: ScoringRun,
  flaggedDevices: ReadonlySet<string>,
): readonly AlertChange[] {
  return active
    .filter(
      ({ row }) =>
        isActive(row) && (isScoredModel(row.model_id) || row.model_id === ruleModelIds.fallback),
    )
    .flatMap((record) => {
      const { row, tracking } = record
      if (!flaggedDevices.has(row.device_id)) {
        const change = judge(record, run)
        return change === undefined ? [] : [change]
      }
      if (tracking.quietRuns === 0) return []
      const windowEndMs = tracking.quietWindowEndMs ?? 0
      return [{ kind: 'quiet', alertId: row.alert_id, quietRuns: 0, windowEndMs } as const]
    })
}
