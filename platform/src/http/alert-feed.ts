import type { PresenceEvent } from '../gateway/index.ts'
import type { AlertRecord, State } from '../objects/index.ts'
import type { AlertChangeNote, EventHub, Narrowing, ServerEvent } from './event-hub.ts'
import { covers, type Identity } from './identity.ts'

/** Alerts named in one event; a storm is told as a count. */
const namedCount = 200

function note({ row }: AlertRecord): AlertChangeNote {
  return {
    alert_id: row.alert_id,
    device_id: row.device_id,
    site_id: row.site_id,
    severity: row.severity,
    status: row.status,
    version: row.version,
  }
}

/** Tells clients about every committed change of alerts and devices; returns the way to stop. */
export function feedChanges(state: State, hub: EventHub): () => void {
  const stopAlerts = state.alerts.onChange((records) => {
    hub.publish({
      kind: 'alerts',
      count: records.length,
      alerts: records.slice(0, namedCount).map(note),
    })
  })
  let changed = new Set<string>()
  // Registering a fleet changes thousands of devices in one tick: one event for all of them.
  const stopDevices = state.registry.onChange((deviceId) => {
    if (changed.size === 0) {
      queueMicrotask(() => {
        const ids = [...changed]
        changed = new Set()
        hub.publish({ kind: 'devices', device_ids: ids.length > namedCount ? [] : ids })
      })
    }
    changed.add(deviceId)
  })
  return () => {
    stopAlerts()
    stopDevices()
  }
}

/** Tells clients who came, left or fell silent: one event for all devices of a sweep. */
export function feedPresence(
  onPresence: (listener: (event: PresenceEvent) => void) => () => void,
  hub: EventHub,
): () => void {
  let waiting: PresenceEvent[] = []
  return onPresence((event) => {
    if (waiting.length === 0) {
      queueMicrotask(() => {
        const told = waiting
        waiting = []
        hub.publish({
          kind: 'presence',
          count: told.length,
          devices: told.slice(0, namedCount).map(({ deviceId, kind, atMs }) => ({
            device_id: deviceId,
            kind,
            at: new Date(atMs).toISOString(),
          })),
        })
      })
    }
    waiting.push(event)
  })
}

/** Leaves out what lies on sites that a person does not cover, OBJ-32. */
export function narrowingFor(identity: Identity, state: State): Narrowing {
  if (identity.siteIds === undefined) return (event) => event
  return (event): ServerEvent | undefined => {
    if (event.kind === 'alerts') {
      const alerts = event.alerts.filter((alert) => covers(identity, alert.site_id))
      // Of a storm only the first alerts are named: the rest might be theirs.
      const isCut = event.count > event.alerts.length
      if (alerts.length === 0 && !isCut) return undefined
      return { kind: 'alerts', count: alerts.length, alerts }
    }
    if (event.kind === 'presence') {
      const devices = event.devices.filter(({ device_id: id }) => {
        const row = state.registry.device(id)
        return row !== undefined && covers(identity, row.site_id)
      })
      const isCut = event.count > event.devices.length
      if (devices.length === 0 && !isCut) return undefined
      return { kind: 'presence', count: devices.length, devices }
    }
    if (event.kind !== 'devices') return event
    const ids = event.device_ids.filter((id) => {
      const row = state.registry.device(id)
      return row !== undefined && covers(identity, row.site_id)
    })
    return ids.length === 0 && event.device_ids.length > 0
      ? undefined
      : { ...event, device_ids: ids }
  }
}
