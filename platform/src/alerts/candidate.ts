import type { FleetDefinition, Severity } from '../contracts/index.ts'
import { uuidV5 } from '../objects/index.ts'
import type { Contributor, ScoredWindow, ScoringRun } from './scored-window.ts'
import { candidateSeverity } from './severity.ts'

/** What a run holds against one device, SRV-38. */
export type Candidate = {
  readonly alertId: string
  readonly deviceId: string
  readonly severity: Severity
  /** Row with the highest score. */
  readonly primary: ScoredWindow
  /** Of the primary model, else of the next that has any. */
  readonly contributors: readonly Contributor[]
  /** Strongest feature, null if no model explains itself; part of the suppression key, SRV-41. */
  readonly dominant: string | null
  /** Distinct families that flagged, sorted. */
  readonly modelIds: readonly string[]
  /** End of the earliest flagged window. */
  readonly detectedMs: number
}

/** Contributor part of an alert id when no model explains itself, SRV-41. */
const noContributor = '__none__'

/** Id of an alert from scores: device, family, contributor, window (OBJ-7). */
export function batchAlertId(row: ScoredWindow, dominant: string | null): string {
  return uuidV5(
    row.deviceId,
    row.modelId,
    dominant ?? noContributor,
    new Date(row.windowStartMs).toISOString(),
    String(row.durationMinutes),
  )
}

/** Highest score first; ties in the order of the fleet's models and windows, SRV-38. */
function byStrength(fleet: FleetDefinition) {
  const modelOrder = fleet.models.map(({ modelId }) => modelId)
  const place = (list: readonly (string | number)[], item: string | number) => {
    const index = list.indexOf(item)
    return index < 0 ? list.length : index
  }
  return (left: ScoredWindow, right: ScoredWindow): number =>
    right.score - left.score ||
    place(modelOrder, left.modelId) - place(modelOrder, right.modelId) ||
    place(fleet.windowMinutes, left.durationMinutes) -
      place(fleet.windowMinutes, right.durationMinutes) ||
    (left.scoreId < right.scoreId ? -1 : 1)
}

function candidateOf(
  rows: readonly ScoredWindow[],
  previousScore: ScoringRun['previousScore'],
): Candidate {
  const primary = rows[0]!
  const contributors = rows.find((row) => row.contributors.length > 0)?.contributors ?? []
  const dominant = contributors[0]?.feature ?? null
  return {
    alertId: batchAlertId(primary, dominant),
    deviceId: primary.deviceId,
    severity: candidateSeverity(rows, previousScore),
    primary,
    contributors,
    dominant,
    modelIds: [...new Set(rows.map(({ modelId }) => modelId))].toSorted(),
    detectedMs: Math.min(...rows.map(({ windowEndMs }) => windowEndMs)),
  }
}

/**
 * One candidate per device from the flagged, eligible rows of a run that are not explained by the
 * data itself (SRV-38), in device order.
 */
export function selectCandidates(fleet: FleetDefinition, run: ScoringRun): readonly Candidate[] {
  const rowsByDevice = Map.groupBy(
    run.flagged.filter(({ eligible, dataQuality }) => eligible && !dataQuality),
    ({ deviceId }) => deviceId,
  )
  const compare = byStrength(fleet)
  return [...rowsByDevice]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, rows]) => candidateOf(rows.toSorted(compare), run.previousScore))
}
