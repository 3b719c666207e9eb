import type { DeviceRow, FleetDefinition } from '../contracts/index.ts'
import {
  type AlertChange,
  type AlertRecord,
  isActive,
  isOffline,
  type State,
  scaledSpanMs,
  uuidV5,
} from '../objects/index.ts'
import { formatInstant, timeToAct } from './describe-alert.ts'
import { episodeHistoryMs } from './episode.ts'
import { placeAlert } from './place-alert.ts'
import { ruleModelIds } from './scored-window.ts'

/** Version of the rule, stored as `model_version`. */
const ruleVersion = '1.0.0'
/** Minutes of silence that raise an alert, for devices that report each minute, SRV-20. */
const alertAfterMinutes = 30
/** Devices of a site that fall silent within this time may have one cause, SRV-20. */
const sameOutageMs = 600_000
const minOutageDevices = 3
const outageShare = 0.5

/** A device in service and when it was last heard. */
export type HeardDevice = { readonly row: DeviceRow; readonly lastReadingMs: number }

/** What the offline rule looks at. */
export type OfflineInput = {
  readonly fleet: FleetDefinition
  /** Active devices that were heard at least once. */
  readonly devices: readonly HeardDevice[]
  /** Alerts of the offline rule that are active, and recent ones of silent devices. */
  readonly alerts: readonly AlertRecord[]
  readonly nowMs: number
  /**
   * Since when messages can arrive at all: our own downtime is nobody's silence.
   */
  readonly listeningSinceMs: number
}

type Outage = { readonly first: HeardDevice; readonly others: readonly HeardDevice[] }

function silenceOf({ lastReadingMs }: HeardDevice, { nowMs, listeningSinceMs }: OfflineInput) {
  return nowMs - Math.max(lastReadingMs, listeningSinceMs)
}

/** True once a device has been silent for the given minutes, scaled to its interval. */
function isSilent(device: HeardDevice, minutes: number, input: OfflineInput): boolean {
  return silenceOf(device, input) > scaledSpanMs(minutes, device.row.reporting_interval_s)
}

function siteOutage(
  site: readonly HeardDevice[],
  due: readonly HeardDevice[],
  input: OfflineInput,
): Outage | undefined {
  const first = due[0]!
  const together = site.filter(
    (device) =>
      device.lastReadingMs >= first.lastReadingMs &&
      device.lastReadingMs - first.lastReadingMs <= sameOutageMs &&
      isOffline(
        Math.max(device.lastReadingMs, input.listeningSinceMs),
        device.row.reporting_interval_s,
        input.nowMs,
      ),
  )
  const needed = Math.max(minOutageDevices, outageShare * site.length)
  return together.length >= needed
    ? { first, others: together.filter((device) => device !== first) }
    : undefined
}

function raise(
  input: OfflineInput,
  { row, lastReadingMs }: HeardDevice,
  others: readonly HeardDevice[],
): readonly AlertChange[] {
  const { fleet, nowMs } = input
  const severity = others.length > 0 ? 'HIGH' : 'MEDIUM'
  const minutes = Math.floor((nowMs - lastReadingMs) / 60_000)
  const names = others.map((other) => other.row.device_id)
  const title =
    others.length > 0
      ? `${others.length + 1} ${fleet.deviceNoun}s of this site are silent`
      : `No readings for ${minutes} min`
  const description = [
    `Nothing was heard from this ${fleet.deviceNoun} since ${formatInstant(lastReadingMs)}.`,
    ...(others.length > 0
      ? [
          `Silent with it: ${names.slice(0, 50).join(', ')}${names.length > 50 ? ` and ${names.length - 50} more` : ''}.`,
          'Check the power and the network of the site first.',
        ]
      : ['Check its power first, then its network connection.']),
    timeToAct(severity, nowMs),
  ]
  return placeAlert(
    {
      alertId: uuidV5(row.device_id, ruleModelIds.offline, new Date(lastReadingMs).toISOString()),
      deviceId: row.device_id,
      siteId: row.site_id,
      severity,
      title,
      description: description.join('\n'),
      modelId: ruleModelIds.offline,
      modelVersion: ruleVersion,
      modelIds: [ruleModelIds.offline],
      triggerCategory: 'device_offline',
      score: null,
      scoreId: null,
      contributors: [],
      detectedMs: lastReadingMs,
      lastBreachMs: nowMs,
    },
    input.alerts.filter((alert) => alert.row.device_id === row.device_id),
    nowMs,
  )
}

const isPresent = ({ row }: AlertRecord) => isActive(row) && row.alert_type !== 'ANOMALY_RESOLVED'

/** True if an outage alert of the site already tells of this silence. */
function isCovered({ row, lastReadingMs }: HeardDevice, outages: readonly AlertRecord[]): boolean {
  return outages.some(
    (alert) =>
      alert.row.site_id === row.site_id &&
      Math.abs(lastReadingMs - alert.row.first_detected_at) <= sameOutageMs,
  )
}

/**
 * Alerts for devices that fell silent, SRV-20: MEDIUM after 30 minutes; one HIGH alert when half of
 * a site, at least three devices, fell silent within ten minutes. Heard again, the alert clears.
 */
export function decideOffline(input: OfflineInput): readonly AlertChange[] {
  const offlineAlerts = input.alerts.filter(
    (alert) => alert.row.model_id === ruleModelIds.offline && isPresent(alert),
  )
  const heard = new Map(input.devices.map((device) => [device.row.device_id, device]))
  const cleared = offlineAlerts.flatMap((alert): AlertChange[] => {
    const device = heard.get(alert.row.device_id)
    const isBack = device !== undefined && device.lastReadingMs > alert.row.first_detected_at
    return isBack ? [{ kind: 'heard_again', alertId: alert.row.alert_id }] : []
  })
  const gone = new Set(cleared.map((change) => 'alertId' in change && change.alertId))
  const outages = offlineAlerts.filter(
    ({ row }) => row.severity === 'HIGH' && !gone.has(row.alert_id),
  )
  const bySite = Map.groupBy(input.devices, ({ row }) => row.site_id)
  const raised = [...bySite.values()].flatMap((site) => {
    const due = site
      .filter((device) => isSilent(device, alertAfterMinutes, input) && !isCovered(device, outages))
      .toSorted(
        (left, right) =>
          left.lastReadingMs - right.lastReadingMs ||
          (left.row.device_id < right.row.device_id ? -1 : 1),
      )
    if (due.length === 0) return []
    const outage = siteOutage(site, due, input)
    if (outage === undefined) return due.flatMap((device) => raise(input, device, []))
    const covered = new Set([outage.first, ...outage.others])
    return [
      ...raise(input, outage.first, outage.others),
      ...due.filter((device) => !covered.has(device)).flatMap((device) => raise(input, device, [])),
    ]
  })
  return [...cleared, ...raised]
}

/** Runs the offline rule once; call it each minute. */
export async function runOfflineRule(options: {
  readonly state: State
  readonly fleet: FleetDefinition
  readonly nowMs: number
  /** Since when messages can arrive: start of the process, or when its backlog was worked off. */
  readonly listeningSinceMs: number
}): Promise<{ readonly changedCount: number }> {
  const { state, fleet, nowMs, listeningSinceMs } = options
  const devices = state.registry.devices().flatMap((row): HeardDevice[] => {
    const lastReadingMs = state.live.lastReadingMs(row.device_id)
    return row.status === 'active' && lastReadingMs !== undefined ? [{ row, lastReadingMs }] : []
  })
  const active = (await state.alerts.active()).filter(
    ({ row }) => row.model_id === ruleModelIds.offline,
  )
  const input: OfflineInput = { fleet, devices, alerts: active, nowMs, listeningSinceMs }
  const silent = devices.filter((device) => isSilent(device, alertAfterMinutes, input))
  const recent = await state.alerts.recent(
    silent.map(({ row }) => row.device_id),
    nowMs - episodeHistoryMs,
  )
  const known = new Set(recent.map(({ row }) => row.alert_id))
  const alerts = [...recent, ...active.filter(({ row }) => !known.has(row.alert_id))]
  const { written } = await state.alerts.apply(decideOffline({ ...input, alerts }))
  return { changedCount: written.length }
}
