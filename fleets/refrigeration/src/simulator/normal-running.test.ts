import { describe, expect, test } from 'vitest'
import {
  correlation,
  deviation,
  isRunning,
  mean,
  normalRunning,
  numbers,
  type Observation,
  observe,
} from '../testing/series.ts'
import { simulator } from './index.ts'
import { operatingPoints } from './operating-point.ts'

const startMs = Date.UTC(2026, 0, 15)
const fleet = simulator
  .devices({ count: 40, seed: 42 })
  .map((device) => observe({ device, seed: 42, startMs, minutes: 1440 }))
const running = fleet.flatMap((observations) => normalRunning(observations))

/** Lengths of the runs of readings for which a condition holds, whole ones only. */
function runLengths(
  observations: readonly Observation[],
  holds: (observation: Observation) => boolean,
): readonly number[] {
  const lengths: number[] = []
  let length = 0
  let isWhole = false
  for (const observation of observations) {
    if (holds(observation)) length += 1
    else {
      if (length > 0 && isWhole) lengths.push(length)
      isWhole = true
      length = 0
    }
  }
  return lengths
}

describe('a healthy fleet over a day (MON-63)', () => {
  test.each(operatingPoints)(
    '$sensor runs at its mean and deviation',
    ({ sensor, mean: centre, std }) => {
      const values = numbers(running, sensor)
      // January cools the room by 1.2 K and what depends on it; models and devices differ too.
      expect(Math.abs(mean(values) - centre)).toBeLessThan(0.45 * std)
      expect(deviation(values) / std).toBeGreaterThan(0.85)
      expect(deviation(values) / std).toBeLessThan(1.15)
    },
  )

  test.each([
    ['temperature_evaporator', 'current_compressor', 0.6],
    ['pressure_high_side', 'temperature_condenser', 0.7],
    ['superheat', 'temperature_suction', 0.5],
    ['current_compressor', 'vibration_compressor', 0.4],
  ] as const)('%s and %s are correlated by %d', (left, right, expected) => {
    expect(Math.abs(correlation(running, left, right) - expected)).toBeLessThan(0.12)
  })

  test('compressors run about 20 min and rest about 10', () => {
    const runs = fleet.flatMap((device) => runLengths(device, isRunning))
    const rests = fleet.flatMap((device) =>
      runLengths(device, (o) => !isRunning(o) && o.values.defrost_cycle === false),
    )
    expect(mean(runs)).toBeGreaterThan(18)
    expect(mean(runs)).toBeLessThan(24)
    expect(mean(rests)).toBeGreaterThan(7)
    expect(mean(rests)).toBeLessThan(12)
  })

  test('a resting compressor draws nothing, hardly vibrates, and its low side rises', () => {
    for (const device of fleet.slice(0, 10)) {
      const resting = device.filter((o) => !isRunning(o))
      expect(Math.max(...numbers(resting, 'current_compressor'))).toBe(0)
      const vibration = numbers(resting, 'vibration_compressor')
      if (vibration.length > 0) expect(Math.abs(mean(vibration) - 0.3)).toBeLessThan(0.02)
    }
    const resting = fleet.flatMap((device) => device.filter((o) => !isRunning(o)))
    expect(mean(numbers(resting, 'pressure_low_side'))).toBeGreaterThan(
      mean(numbers(running, 'pressure_low_side')) + 60,
    )
  })

  test('a defrost every 6 to 8 hours warms the coil to about +8 at up to 3 K a minute', () => {
    const share = mean(fleet.flat().map(({ values }) => Number(values.defrost_cycle)))
    expect(share).toBeGreaterThan(0.065)
    expect(share).toBeLessThan(0.095)
    for (const device of fleet) {
      const begins = device.filter(
        (o, index) =>
          o.values.defrost_cycle === true && device[index - 1]?.values.defrost_cycle === false,
      )
      const gaps = begins.slice(1).map((o, index) => o.minute - (begins[index]?.minute ?? 0))
      for (const gap of gaps) {
        expect(gap).toBeGreaterThanOrEqual(360)
        expect(gap).toBeLessThanOrEqual(481)
      }
      const first = begins[0]?.minute ?? 0
      const heat = numbers(device.slice(first, first + 28), 'temperature_evaporator')
      expect(Math.max(...heat)).toBeGreaterThan(-2)
      expect(Math.max(...heat)).toBeLessThan(22)
      expect((Math.max(...heat.slice(0, 10)) - (heat[0] ?? 0)) / 10).toBeLessThan(3.2)
    }
  })

  test('after a defrost the coil is cold again within 30 minutes', () => {
    const after = fleet.flatMap((device) => {
      const end = device.findIndex(
        (o, index) =>
          o.values.defrost_cycle === false && device[index - 1]?.values.defrost_cycle === true,
      )
      return numbers(device.slice(end + 30, end + 33), 'temperature_evaporator')
    })
    expect(Math.abs(mean(after) + 24)).toBeLessThan(2.5)
  })

  test('doors are open about 5 % of the time, nearly all of it in opening hours', () => {
    const open = fleet.flat().filter(({ values }) => values.door_open_close === true)
    expect(open.length / fleet.flat().length).toBeGreaterThan(0.04)
    expect(open.length / fleet.flat().length).toBeLessThan(0.065)
    // 20:00 to 06:00 UTC is night at every site of the fleet.
    const night = open.filter(({ minute }) => minute % 1440 > 1275 || minute % 1440 < 360)
    expect(night.length / open.length).toBeLessThan(0.05)
  })

  test('the room follows the day: warmest in the afternoon', () => {
    const hour = (from: number) =>
      mean(
        numbers(
          fleet.flat().filter(({ minute }) => Math.floor(minute / 60) === from),
          'temperature_ambient',
        ),
      )
    expect(hour(14) - hour(2)).toBeGreaterThan(4)
  })

  test('July is warmer than January', () => {
    const device = simulator.devices({ count: 1, seed: 42 })[0]!
    const july = observe({ device, seed: 42, startMs: Date.UTC(2026, 6, 15), minutes: 1440 })
    const rise =
      mean(numbers(july, 'temperature_ambient')) -
      mean(numbers(fleet[0] ?? [], 'temperature_ambient'))
    expect(rise).toBeGreaterThan(2)
    expect(rise).toBeLessThan(2.8)
  })
})
