import type { FleetDefinition } from '../contracts/index.ts'
import { type AlertRecord, isActive, type State } from '../objects/index.ts'
import { selectCandidates } from './candidate.ts'
import { type AlertDecision, decideAlerts } from './decide-alerts.ts'
import { indexFeatures } from './describe-alert.ts'
import { episodeHistoryMs } from './episode.ts'
import type { ScoringRun } from './scored-window.ts'
import { detectStorm, type Storm } from './storm.ts'

/** What the alert job of a run did. */
export type AlertRunOutcome = {
  readonly flaggedDeviceCount: number
  readonly createdCount: number
  readonly suppressedCount: number
  readonly changedCount: number
  readonly storm: Storm
}

/** What the alert job of a run works on. */
export type AlertRunOptions = {
  readonly state: State
  readonly fleet: FleetDefinition
  readonly run: ScoringRun
  readonly scoredDeviceCount: number
  /** True while a stream rule fires on a device; from the running stream rules. */
  readonly isFiring: (deviceId: string, ruleId: string) => boolean
}

const fiveMinutesMs = 300_000

async function alertsInPlay(
  state: State,
  deviceIds: readonly string[],
  nowMs: number,
): Promise<readonly AlertRecord[]> {
  const recent = await state.alerts.recent(deviceIds, nowMs - episodeHistoryMs)
  const known = new Set(recent.map(({ row }) => row.alert_id))
  const active = await state.alerts.active()
  return [...recent, ...active.filter(({ row }) => !known.has(row.alert_id))]
}

/**
 * Raises, suppresses, follows up and clears alerts after a scoring run, SRV-37. Running it again
 * for the same run changes nothing.
 */
export async function runAlerts(options: AlertRunOptions): Promise<AlertRunOutcome> {
  const { state, fleet, run } = options
  const deviceIds = selectCandidates(fleet, run).map(({ deviceId }) => deviceId)
  const alerts = await alertsInPlay(state, deviceIds, run.nowMs)
  const siteCounts = new Map(
    state.registry.sites().map(({ siteId, deviceCount }) => [siteId, deviceCount]),
  )
  const decisions: readonly AlertDecision[] = decideAlerts({
    fleet,
    features: indexFeatures(fleet),
    run,
    alerts,
    siteOf: (deviceId, ms) => state.registry.deviceAsOf(deviceId, ms)?.site_id,
    siteDeviceCount: (siteId) => siteCounts.get(siteId) ?? 0,
    isFiring: options.isFiring,
  })
  const { created, written } = await state.alerts.apply(decisions)
  const suppressedCount = created.filter(({ row }) => row.suppressed).length
  const recentCritical = [...alerts, ...created].filter(
    ({ row }) =>
      row.severity === 'CRITICAL' &&
      isActive(row) &&
      run.nowMs - row.alert_created_at <= fiveMinutesMs,
  )
  return {
    flaggedDeviceCount: deviceIds.length,
    createdCount: created.length - suppressedCount,
    suppressedCount,
    changedCount: written.length - created.length,
    storm: detectStorm({
      fleetSize: state.registry.devices().length,
      recentCriticalCount: recentCritical.length,
      flaggedDeviceCount: deviceIds.length,
      scoredDeviceCount: options.scoredDeviceCount,
    }),
  }
}
