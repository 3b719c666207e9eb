import type { LiveReading, RulePhase, StreamRule } from '../contracts/index.ts'
import { isRepeated } from './recent-events.ts'

/** The alert a firing rule belongs to, and the evidence since. */
export type FiringAlert = {
  readonly alertId: string
  readonly lastBreachMs: number
  readonly breachCount: number
}

/** Stream rules of one device as they stand after its messages so far. */
export type DeviceRules = {
  readonly deviceId: string
  /** One past the last message of the device that is contained. */
  nextOffset: number
  /** Event time of the newest reading seen. */
  newestMs: number
  readonly events: number[]
  /** In the order of the fleet's rules. */
  readonly states: unknown[]
  readonly phases: RulePhase[]
  readonly firing: (FiringAlert | null)[]
}

/** A rule that started to fire: an alert is due. */
export type Firing = {
  readonly device: DeviceRules
  readonly ruleIndex: number
  readonly reading: LiveReading
  readonly reason: string
}

/** What happened to a reading. */
export type ReadingFate = 'seen' | 'repeated' | 'tooOld'

/** A reading this much older than the newest is still shown to the rules, SRV-14. */
const shownOlderMs = 120_000

/** Rules of a device that has not sent anything yet. */
export function emptyDeviceRules(deviceId: string, rules: readonly StreamRule[]): DeviceRules {
  return {
    deviceId,
    nextOffset: 0,
    newestMs: Number.NEGATIVE_INFINITY,
    events: [],
    states: rules.map((rule) => rule.empty()),
    phases: rules.map(() => 'inactive'),
    firing: rules.map(() => null),
  }
}

/**
 * Shows a reading to the rules of its device. One up to two minutes older than the newest may still
 * complete a mean but fires nothing; an older one is left out (SRV-14, ING-46).
 * @param thresholds per rule
 * @param firings appended to
 */
export function stepDevice(
  device: DeviceRules,
  reading: LiveReading,
  rules: readonly StreamRule[],
  thresholds: readonly Readonly<Record<string, number>>[],
  firings: Firing[],
): ReadingFate {
  if (isRepeated(device.events, reading.eventId)) return 'repeated'
  const isOlder = reading.timeMs < device.newestMs
  if (reading.timeMs < device.newestMs - shownOlderMs) return 'tooOld'
  const shown = isOlder ? { ...reading, mayFire: false } : reading
  if (!isOlder) device.newestMs = reading.timeMs
  for (let index = 0; index < rules.length; index++) {
    const step = rules[index]!.step(device.states[index], shown, thresholds[index]!)
    device.states[index] = step.state
    device.phases[index] = step.phase
    if (step.fired) {
      firings.push({ device, ruleIndex: index, reading, reason: step.reason ?? '' })
    } else if (step.phase !== 'firing') {
      device.firing[index] = null
    } else if (!isOlder) {
      const alert = device.firing[index]
      if (alert != null) {
        device.firing[index] = {
          ...alert,
          lastBreachMs: reading.timeMs,
          breachCount: alert.breachCount + 1,
        }
      }
    }
  }
  return 'seen'
}

type StoredRule = readonly [
  id: string,
  version: string,
  phase: RulePhase,
  state: unknown,
  firing: FiringAlert | null,
]

type StoredDevice = {
  readonly newestMs: number | null
  readonly events: readonly number[]
  readonly rules: readonly StoredRule[]
}

/** A device's rules as JSON for a checkpoint. */
export function writeDeviceRules(device: DeviceRules, rules: readonly StreamRule[]): string {
  const stored: StoredDevice = {
    newestMs: Number.isFinite(device.newestMs) ? device.newestMs : null,
    events: device.events,
    rules: rules.map(({ id, version }, index) => [
      id,
      version,
      device.phases[index]!,
      device.states[index],
      device.firing[index]!,
    ]),
  }
  return JSON.stringify(stored)
}

/** Reads a checkpoint back; a rule that is new or of another version starts empty. */
export function readDeviceRules(
  deviceId: string,
  nextOffset: number,
  body: string,
  rules: readonly StreamRule[],
): DeviceRules {
  const stored: StoredDevice = JSON.parse(body)
  const device = emptyDeviceRules(deviceId, rules)
  device.nextOffset = nextOffset
  device.newestMs = stored.newestMs ?? Number.NEGATIVE_INFINITY
  device.events.push(...stored.events)
  rules.forEach((rule, index) => {
    const found = stored.rules.find(([id, version]) => id === rule.id && version === rule.version)
    if (found === undefined) return
    device.phases[index] = found[2]
    device.states[index] = found[3]
    device.firing[index] = found[4]
  })
  return device
}
