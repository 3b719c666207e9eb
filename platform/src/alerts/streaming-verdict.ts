import type { FleetDefinition } from '../contracts/index.ts'
import { type AlertChange, type AlertRecord, isActive } from '../objects/index.ts'
import { type DeviceEvidence, ruleModelIds } from './scored-window.ts'

/** A batch score above this confirms a streaming alert, SRV-22. */
const confirmScore = 0.85
/** Every model must be below this to soften, SRV-22. */
const quietScore = 0.6
/** Sensors must be present to this share for silence to mean something, SRV-22 and SRV-40. */
const quietCompleteness = 0.7

/** True if every score of a device is low and its sensors were there to see. */
export function isQuiet(evidence: DeviceEvidence): boolean {
  return (
    evidence.windows.length > 0 &&
    evidence.completeness >= quietCompleteness &&
    evidence.windows.every(({ score }) => score < quietScore)
  )
}

/** True for an alert of the stream rules that still counts. */
export function isActiveStreaming({ row }: AlertRecord): boolean {
  return row.model_id === ruleModelIds.stream && isActive(row)
}

/**
 * What a batch run makes of a streaming alert, SRV-22: it confirms, softens or says nothing. A
 * device that was not scored, and a rule that is firing, are never softened.
 */
export function judgeStreaming(
  { row, tracking }: AlertRecord,
  evidence: DeviceEvidence | undefined,
  isFiring: boolean,
): AlertChange | undefined {
  if (evidence === undefined) return undefined
  const later = evidence.windows
    .filter(({ windowEndMs, score }) => windowEndMs > row.first_detected_at && score > confirmScore)
    .toSorted(
      (left, right) =>
        right.score - left.score || ((left.scoreId ?? '') < (right.scoreId ?? '') ? -1 : 1),
    )
  if (later.length > 0) {
    const scoreId = later.find((window) => window.scoreId !== null)?.scoreId ?? row.score_id
    const modelIds = [...new Set(later.map(({ modelId }) => modelId))].toSorted()
    return { kind: 'confirm', alertId: row.alert_id, scoreId, modelIds }
  }
  const lastBreachMs = row.last_breach_at ?? row.alert_created_at
  const seen = evidence.windows.every(({ windowStartMs }) => windowStartMs >= lastBreachMs)
  const softens = isQuiet(evidence) && seen && !isFiring && !tracking.softenLocked
  return softens ? { kind: 'soften', alertId: row.alert_id } : undefined
}

/** Sensor group a streaming alert is about, from its rule. */
export function streamingGroup(
  fleet: FleetDefinition,
  { row, tracking }: AlertRecord,
): string | undefined {
  const rule = fleet.streamRules.find(({ id }) => id === tracking.ruleId)
  const sensor = row.top_contributors?.[0]
  return rule?.group ?? fleet.sensors.find(({ name }) => name === sensor)?.group
}

/** The active streaming alert that already tells of evidence about a sensor group, SRV-23. */
export function coveringStreamingAlert(
  fleet: FleetDefinition,
  group: string | undefined,
  history: readonly AlertRecord[],
): AlertRecord | undefined {
  if (group === undefined) return undefined
  return history.findLast(
    (record) => isActiveStreaming(record) && streamingGroup(fleet, record) === group,
  )
}
