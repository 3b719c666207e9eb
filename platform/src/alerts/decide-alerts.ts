import type { FleetDefinition } from '../contracts/index.ts'
import type { AlertChange, AlertRecord } from '../objects/index.ts'
import { type Candidate, selectCandidates } from './candidate.ts'
import { describeAlert, type FeatureIndex } from './describe-alert.ts'
import { type Placement, placeInEpisode } from './episode.ts'
import { alertChanges, unassignedSite } from './new-alert.ts'
import type { ScoringRun } from './scored-window.ts'
import { decideSelfClears } from './self-clear.ts'
import { correlateSites, correlateWithinMs } from './site-correlation.ts'
import { coveringStreamingAlert, isActiveStreaming, judgeStreaming } from './streaming-verdict.ts'

/** Everything a batch run's alerts follow from. */
export type AlertInput = {
  readonly fleet: FleetDefinition
  readonly features: FeatureIndex
  readonly run: ScoringRun
  /**
   * Active alerts of all devices, and the alerts of flagged devices of the last seven days, each
   * once; suppressed rows included.
   */
  readonly alerts: readonly AlertRecord[]
  /** Site of a device at an instant, SRV-43. */
  readonly siteOf: (deviceId: string, ms: number) => string | undefined
  readonly siteDeviceCount: (siteId: string) => number
  /** True while a stream rule fires on a device, SRV-22. */
  readonly isFiring: (deviceId: string, ruleId: string) => boolean
}

/** Decisions of a run, in the order in which they must be applied. */
export type AlertDecision = AlertChange

function streamingDecisions(input: AlertInput): readonly AlertDecision[] {
  const { alerts, run, isFiring } = input
  return alerts.filter(isActiveStreaming).flatMap((record) => {
    const { device_id: deviceId } = record.row
    const firing = isFiring(deviceId, record.tracking.ruleId ?? '')
    const change = judgeStreaming(record, run.evidence(deviceId), firing)
    return change === undefined ? [] : [change]
  })
}

function place(
  input: AlertInput,
  candidate: Candidate,
  history: readonly AlertRecord[],
): Placement {
  const group = input.features.get(candidate.dominant ?? '')?.group
  const anchor = coveringStreamingAlert(input.fleet, group, history)
  return anchor === undefined
    ? placeInEpisode(candidate, history, input.run.nowMs)
    : { kind: 'suppressed', anchor }
}

function candidateDecisions(
  input: AlertInput,
  candidate: Candidate,
  history: readonly AlertRecord[],
): readonly AlertDecision[] {
  // The run was already decided for this device: a repeat adds nothing.
  if (history.some(({ row }) => row.alert_id === candidate.alertId)) return []
  const { fleet, features, run } = input
  const { primary, severity, modelIds, contributors, detectedMs } = candidate
  const placement = place(input, candidate, history)
  const sinceMs =
    'predecessor' in placement ? placement.predecessor.row.first_detected_at : detectedMs
  const text = describeAlert({
    fleet,
    features,
    contributors,
    severity,
    modelIds,
    sinceMs,
    durationMinutes: primary.durationMinutes,
    nowMs: run.nowMs,
  })
  const isPattern = modelIds.length >= 2 && primary.score <= 0.7
  return alertChanges(
    {
      alertId: candidate.alertId,
      deviceId: candidate.deviceId,
      siteId: input.siteOf(candidate.deviceId, primary.windowEndMs) ?? unassignedSite,
      severity,
      ...text,
      modelId: primary.modelId,
      modelVersion: primary.modelVersion,
      modelIds,
      triggerCategory: isPattern ? 'pattern_anomaly' : 'anomaly_score_high',
      score: primary.score,
      scoreId: primary.scoreId,
      contributors: contributors.map(({ feature }) => feature),
      detectedMs,
      lastBreachMs: primary.windowEndMs,
    },
    placement,
    run.nowMs,
  )
}

function createdBy(change: AlertDecision): readonly AlertRecord[] {
  return change.kind === 'create' || change.kind === 'succeed' ? [change.record] : []
}

/**
 * Turns a scoring run into changes of alerts, SRV-37: verdicts on streaming alerts, new and
 * suppressed rows, successors, self-clears, correlation within sites. Pure: the same input gives
 * the same decisions, and deciding a run again after it was applied gives none that change anything.
 */
export function decideAlerts(input: AlertInput): readonly AlertDecision[] {
  const { alerts, run, fleet, features, siteDeviceCount } = input
  const candidates = selectCandidates(fleet, run)
  const byDevice = Map.groupBy(alerts, ({ row }) => row.device_id)
  const verdicts = streamingDecisions(input)
  const placed = candidates.flatMap((candidate) =>
    candidateDecisions(input, candidate, byDevice.get(candidate.deviceId) ?? []),
  )
  const flaggedDevices = new Set(candidates.map(({ deviceId }) => deviceId))
  const cleared = decideSelfClears(alerts, run, flaggedDevices)
  const recent = [...alerts, ...placed.flatMap(createdBy)].filter(
    ({ row }) => run.nowMs - row.alert_created_at <= correlateWithinMs,
  )
  const correlated = correlateSites({ fleet, features, recent, siteDeviceCount })
  return [...verdicts, ...placed, ...cleared, ...correlated]
}
