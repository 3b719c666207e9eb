import { join, resolve } from 'node:path'
import { fleetOfFolder } from '../data-folder.ts'
import { type Check, type Finding, finding, reasonOf } from './finding.ts'
import { registeredDevices } from './registered-fleet.ts'

/** Devices named in one finding. */
const namedCount = 3

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (error) {
    // RangeError is how Intl says that it knows no such zone.
    if (error instanceof RangeError) return false
    throw error
  }
}

const some = (ids: readonly string[]) =>
  ids.length <= namedCount
    ? ids.join(', ')
    : `${ids.slice(0, namedCount).join(', ')} and ${ids.length - namedCount} more`

/** A fleet that loads and is the one the folder holds. */
export const fleetDefinition: Check = ({ dataDirectory, fleet }) => {
  const expected = 'a fleet definition that loads, the same the data folder was made for'
  if (fleet.kind === 'failed') {
    const advice = 'correct the fleet file, or give another one with --fleet'
    return [
      finding('fleet', {
        state: 'failed',
        where: fleet.named,
        expected,
        found: fleet.reason,
        advice,
      }),
    ]
  }
  const where = join(resolve(dataDirectory), 'isotherm.json')
  try {
    const held = fleetOfFolder(dataDirectory)
    const isOther = held !== undefined && held !== fleet.fleet.name
    return [
      finding('fleet', {
        state: isOther ? 'failed' : 'ok',
        where,
        expected,
        found: isOther
          ? `the folder holds ${held}, asked for ${fleet.fleet.name}`
          : fleet.fleet.name,
        advice: 'give the fleet of the folder with --fleet, or another folder with --data',
      }),
    ]
  } catch (cause) {
    const advice = 'restore the file from a backup'
    return [finding('fleet', { state: 'failed', where, expected, found: reasonOf(cause), advice })]
  }
}

/** Sensors and equipment classes of the registry that the fleet does not know. */
export const registryNames: Check = ({ dataDirectory, fleet }) => {
  const where = join(resolve(dataDirectory), 'state.db')
  const expected = 'only sensors and equipment classes of the fleet'
  const devices = registeredDevices(dataDirectory)
  const observed = { where, expected }
  if (fleet.kind === 'failed') return []
  const sensors = new Set(fleet.fleet.sensors.map(({ name }) => name))
  const classes = new Set(fleet.fleet.equipmentClasses)
  const unknown = new Map<string, string[]>()
  const note = (what: string, deviceId: string) => {
    const ids = unknown.get(what) ?? []
    ids.push(deviceId)
    unknown.set(what, ids)
  }
  for (const { device_id: id, expected_sensors: named, equipment_class: kind } of devices) {
    for (const sensor of named ?? []) if (!sensors.has(sensor)) note(`sensor ${sensor}`, id)
    if (!classes.has(kind)) note(`equipment class ${kind}`, id)
  }
  if (unknown.size === 0) {
    return [finding('registry', { ...observed, state: 'ok', found: `${devices.length} devices` })]
  }
  return [...unknown].map(
    ([what, ids]): Finding =>
      finding('registry', {
        ...observed,
        state: 'warning',
        found: `${what} of ${some(ids)} is unknown to ${fleet.fleet.name}`,
        advice: 'correct the devices (isotherm devices import), or add it to the fleet definition',
      }),
  )
}

/** Zones that nothing here knows turn local times into wrong ones. */
export const timeZones: Check = ({ dataDirectory }) => {
  const where = join(resolve(dataDirectory), 'state.db')
  const expected = 'IANA names such as Europe/Berlin'
  const findings: Finding[] = []
  const own = process.env.TZ
  if (own !== undefined && own !== '' && !isZone(own.replace(/^:/, ''))) {
    const advice =
      'unset TZ or give an IANA name: times here are UTC, those of other programs differ'
    findings.push(
      finding('time zone', {
        state: 'warning',
        where: 'variable TZ',
        expected,
        found: own,
        advice,
      }),
    )
  }
  const devices = registeredDevices(dataDirectory)
  const unknown = Map.groupBy(
    devices.filter(({ timezone }) => !isZone(timezone)),
    ({ timezone }) => timezone,
  )
  for (const [zone, group] of unknown) {
    const found = `${zone || '(empty)'} of ${some(group.map(({ device_id: id }) => id))}`
    const advice = 'correct the zone: times without offset of these devices cannot be read'
    findings.push(finding('time zone', { state: 'failed', where, expected, found, advice }))
  }
  const doubtful = devices.filter(
    ({ timestamp_mode: mode, timezone }) => mode === 'local' && timezone === 'UTC',
  )
  if (doubtful.length > 0) {
    const found = `local times, but zone UTC, for ${some(doubtful.map(({ device_id: id }) => id))}`
    const advice = 'give these devices the zone they stand in'
    findings.push(finding('time zone', { state: 'warning', where, expected, found, advice }))
  }
  if (findings.length > 0) return findings
  return [finding('time zone', { state: 'ok', where, expected, found: own ?? 'UTC' })]
}
