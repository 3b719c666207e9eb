import type { FleetDefinition, LiveReading, StreamRule } from '../contracts/index.ts'
import { type AlertChange, type AlertRecord, isActive, uuidV5 } from '../objects/index.ts'
import { type AlertText, formatInstant, timeToAct } from './describe-alert.ts'
import { type Placement, placeInEpisode } from './episode.ts'
import { alertChanges } from './new-alert.ts'
import { ruleModelIds } from './scored-window.ts'

/** A rule that fires again this soon after softening was right the first time, SRV-23. */
const refiresWithinMs = 4 * 3_600_000

/** What a firing becomes, and the alert that later breaches count towards. */
export type StreamAlert = {
  readonly changes: readonly AlertChange[]
  readonly countsTowards: string
  readonly breachCount: number
}

/** Id of a streaming alert: device, rule, event (OBJ-7); a replay finds it again. */
export function streamAlertId(deviceId: string, ruleId: string, eventId: string): string {
  return uuidV5(deviceId, ruleId, eventId)
}

function describe(
  fleet: FleetDefinition,
  reading: LiveReading,
  reason: string,
  nowMs: number,
): AlertText {
  const description = [
    `${reason}.`,
    `This ${fleet.deviceNoun} crossed a fixed limit at ${formatInstant(reading.timeMs)}.`,
    timeToAct('CRITICAL', nowMs),
  ]
  return { title: reason, description: description.join('\n') }
}

/** True if the alert was softened within four hours: the batch view was wrong, SRV-23. */
function wasSoftened({ row, tracking }: AlertRecord, ruleId: string, nowMs: number): boolean {
  if (tracking.ruleId !== ruleId || row.alert_type !== 'ANOMALY_RESOLVED') return false
  return isActive(row) || nowMs - (row.resolved_at ?? 0) < refiresWithinMs
}

/**
 * The changes a firing stream rule causes, SRV-13: a CRITICAL alert, suppressed if the same episode
 * already has one (SRV-41), unless that one was softened in between (SRV-23).
 * @param history alerts of the device
 */
export function decideStreamAlert(options: {
  readonly fleet: FleetDefinition
  readonly rule: StreamRule
  readonly reading: LiveReading
  readonly reason: string
  readonly siteId: string
  readonly history: readonly AlertRecord[]
  readonly nowMs: number
}): StreamAlert {
  const { fleet, rule, reading, history, nowMs } = options
  const alertId = streamAlertId(reading.deviceId, rule.id, reading.eventId)
  const known = history.find(({ row }) => row.alert_id === alertId)
  if (known !== undefined) {
    const countsTowards = known.tracking.anchorAlertId ?? alertId
    return { changes: [], countsTowards, breachCount: known.row.breach_count ?? 1 }
  }
  const softened = history.findLast((record) => wasSoftened(record, rule.id, nowMs))
  const evidence = {
    severity: 'CRITICAL',
    dominant: rule.sensor,
    modelIds: [ruleModelIds.stream],
  } as const
  const usual = placeInEpisode(evidence, history, nowMs)
  const isReopened = softened !== undefined && isActive(softened.row)
  const placement: Placement = isReopened ? { kind: 'sustained', predecessor: softened } : usual
  const changes = alertChanges(
    {
      alertId,
      deviceId: reading.deviceId,
      siteId: options.siteId,
      severity: 'CRITICAL',
      ...describe(fleet, reading, options.reason, nowMs),
      modelId: ruleModelIds.stream,
      modelVersion: rule.version,
      modelIds: [ruleModelIds.stream],
      triggerCategory: 'sensor_out_of_range',
      score: null,
      scoreId: null,
      contributors: [rule.sensor],
      detectedMs: reading.timeMs,
      lastBreachMs: reading.timeMs,
      ruleId: rule.id,
      softenLocked: softened !== undefined,
    },
    placement,
    nowMs,
  ).map((change): AlertChange => {
    if (change.kind !== 'succeed' || !isReopened) return change
    // Acknowledged as harmless, now back: somebody has to look again, so it starts OPEN and locked.
    const { row, tracking } = change.record
    return {
      ...change,
      keepStatus: false,
      record: { row, tracking: { ...tracking, softenLocked: true } },
    }
  })
  const anchor = placement.kind === 'suppressed' ? placement.anchor.row : undefined
  return {
    changes,
    countsTowards: anchor?.alert_id ?? alertId,
    breachCount: anchor === undefined ? 1 : (anchor.breach_count ?? 1) + 1,
  }
}
