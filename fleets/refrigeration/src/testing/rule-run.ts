import type { DeviceRow, FaultPlan, LiveReading, RulePhase, StreamRule } from 'isotherm/contracts'
import { sensors } from '../sensors.ts'
import { simulator } from '../simulator/index.ts'

const minuteMs = 60_000

/** Where the readings of the tests begin. */
export const startMs = Date.UTC(2026, 0, 15)

/** Values of one reading and when it was taken, in minutes; the minute defaults to the position. */
export type Sample = { readonly minute?: number; readonly late?: boolean } & LiveReading['values']

/** What a rule said to one reading. */
export type Verdict = {
  readonly phase: RulePhase
  readonly fired: boolean
  readonly reason?: string
}

/** Runs a rule over readings, one a minute, its state going through JSON before every step. */
export function runRule(
  rule: StreamRule,
  samples: readonly Sample[],
  thresholds: Readonly<Record<string, number>> = rule.thresholds,
): readonly Verdict[] {
  let state: unknown = rule.empty()
  return samples.map(({ minute, late = false, ...values }, index) => {
    const timeMs = startMs + (minute ?? index) * minuteMs
    const reading: LiveReading = {
      ...{ deviceId: 'd', eventId: `e-${index}`, timeMs, values },
      ...{ ingestedAtMs: timeMs + 2000, mayFire: !late },
    }
    const step = rule.step(JSON.parse(JSON.stringify(state)), reading, thresholds)
    state = step.state
    const { phase, fired, reason } = step
    return reason === undefined ? { phase, fired } : { phase, fired, reason }
  })
}

/** Positions of the readings at which a rule fired. */
export function firings(verdicts: readonly Verdict[]): readonly number[] {
  return verdicts.flatMap(({ fired }, index) => (fired ? [index] : []))
}

/** `count` equal samples. */
export function repeat(count: number, values: Sample): readonly Sample[] {
  return Array.from({ length: count }, () => values)
}

const ranges = new Map(sensors.map(({ name, range }) => [name, range]))

/** Values as the gateway hands them to the rules: below range is absent, SRV-14. */
export function liveValues(readings: LiveReading['values']): LiveReading['values'] {
  const entries = Object.entries(readings).filter(([name, value]) => {
    const low = ranges.get(name)?.[0] ?? Number.NEGATIVE_INFINITY
    return typeof value !== 'number' || value >= low
  })
  return Object.fromEntries(entries)
}

/** A firing on a simulated device. */
export type Firing = { readonly deviceId: string; readonly ruleId: string; readonly timeMs: number }

/** Runs rules over a simulated device, message by message as its payloads say. */
export function firingsOfDevice(options: {
  readonly device: DeviceRow
  readonly seed: number
  readonly minutes: number
  readonly faults: readonly FaultPlan[]
  readonly rules: readonly StreamRule[]
}): readonly Firing[] {
  const { device, seed, minutes, faults, rules } = options
  const simulated = simulator.device({ device, seed, startMs, faults })
  const states = rules.map((rule) => rule.empty())
  const found: Firing[] = []
  for (let minute = 0; minute < minutes; minute++) {
    const message = simulated.step(startMs + minute * minuteMs)
    if (message === undefined) continue
    const { timeMs, delayMs, messageId: eventId, deviceId } = message
    const { readings } = JSON.parse(message.payload) as { readonly readings: LiveReading['values'] }
    const times = { timeMs, ingestedAtMs: timeMs + delayMs, mayFire: delayMs <= 10 * minuteMs }
    const reading: LiveReading = { deviceId, eventId, values: liveValues(readings), ...times }
    rules.forEach((rule, index) => {
      const step = rule.step(states[index], reading, rule.thresholds)
      states[index] = step.state
      if (step.fired) found.push({ deviceId, ruleId: rule.id, timeMs })
    })
  }
  return found
}
