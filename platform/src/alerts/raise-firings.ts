import type { FleetDefinition } from '../contracts/index.ts'
import type { AlertChange, AlertRecord, State } from '../objects/index.ts'
import type { DeviceRules, Firing } from './device-rules.ts'
import { episodeHistoryMs } from './episode.ts'
import { unassignedSite } from './new-alert.ts'
import { decideStreamAlert } from './stream-alert.ts'

/**
 * Changes of alerts for rules that started to fire, in order: a second firing of a device sees what
 * the first one decided. Notes on each device which alert its later breaches count towards.
 */
export async function raiseFirings(
  { fleet, state }: { readonly fleet: FleetDefinition; readonly state: State },
  firings: readonly Firing[],
  nowMs: number,
): Promise<readonly AlertChange[]> {
  const deviceIds = [...new Set(firings.map(({ device }) => device.deviceId))]
  const recent = await state.alerts.recent(deviceIds, nowMs - episodeHistoryMs)
  const history: Map<string, readonly AlertRecord[]> = Map.groupBy(
    recent,
    ({ row }) => row.device_id,
  )
  const changes: AlertChange[] = []
  for (const { device, ruleIndex, reading, reason } of firings) {
    const known = history.get(device.deviceId) ?? []
    const site = state.registry.deviceAsOf(device.deviceId, reading.timeMs)?.site_id
    const decided = decideStreamAlert({
      ...{ fleet, reading, reason, nowMs, history: known },
      rule: fleet.streamRules[ruleIndex]!,
      siteId: site ?? unassignedSite,
    })
    changes.push(...decided.changes)
    const created = decided.changes.flatMap((change) => ('record' in change ? [change.record] : []))
    history.set(device.deviceId, [...known, ...created])
    noteAlert(device, ruleIndex, reading.timeMs, decided)
  }
  return changes
}

function noteAlert(
  device: DeviceRules,
  ruleIndex: number,
  lastBreachMs: number,
  decided: { readonly countsTowards: string; readonly breachCount: number },
): void {
  // A rule may have stopped firing within the same batch; then nothing counts towards the alert.
  if (device.phases[ruleIndex] !== 'firing') return
  const { countsTowards: alertId, breachCount } = decided
  device.firing[ruleIndex] = { alertId, lastBreachMs, breachCount }
}
