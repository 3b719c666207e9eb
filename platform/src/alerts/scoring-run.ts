import type { FleetDefinition } from '../contracts/index.ts'
import type { State } from '../objects/index.ts'
import type { ScoringOutcome } from '../scoring/index.ts'
import type { DeviceEvidence, ScoringRun } from './scored-window.ts'

/**
 * A scoring job's outcome as the alert job reads it. Previous scores come from the live state, so
 * alerts must be decided before the run is hydrated into it; they are those of the default window.
 */
export function scoringRunOf(options: {
  readonly outcome: ScoringOutcome
  readonly state: State
  readonly fleet: FleetDefinition
  readonly nowMs: number
}): ScoringRun {
  const { outcome, state, fleet, nowMs } = options
  const flaggedByDevice = Map.groupBy(outcome.flagged, ({ deviceId }) => deviceId)
  const scoreIdOf = (deviceId: string, modelId: string): string | null =>
    (flaggedByDevice.get(deviceId) ?? [])
      .filter((row) => row.modelId === modelId)
      .toSorted((left, right) => right.score - left.score)[0]?.scoreId ?? null
  const evidence = (deviceId: string): DeviceEvidence | undefined => {
    const found = outcome.eligible.get(deviceId)
    if (found === undefined) return undefined
    const { windowStartMs, windowEndMs } = found
    return {
      completeness: found.sensorCompleteness,
      windows: Object.entries(found.scores).map(([modelId, score]) => ({
        ...{ modelId, score, windowStartMs, windowEndMs },
        scoreId: scoreIdOf(deviceId, modelId),
      })),
    }
  }
  const scored = outcome.models.filter(({ kind }) => kind === 'scored')
  return {
    runId: outcome.runId,
    nowMs,
    flagged: outcome.flagged.map((row) => ({
      ...row,
      dataQuality: row.isDataQuality,
      eligible: true,
      contributors: row.contributors.map((contributor) => ({
        ...contributor,
        value: contributor.isImputed ? null : contributor.value,
      })),
    })),
    evidence,
    previousScore: (deviceId, modelId, durationMinutes) =>
      durationMinutes === fleet.windowMinutes[0]
        ? state.live.device(deviceId)?.scores.find((score) => score.modelId === modelId)
        : undefined,
    modelIds: [...new Set(scored.map(({ modelId }) => modelId))].toSorted(),
  }
}
