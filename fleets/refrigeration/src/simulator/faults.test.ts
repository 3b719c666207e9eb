import { describe, expect, test } from 'vitest'
import { isRunning, mean, numbers, type Observation, observe } from '../testing/series.ts'
import type { FaultModeName } from './fault-modes.ts'
import { simulator } from './index.ts'

const startMs = Date.UTC(2026, 0, 15)
const hourMs = 3_600_000
const device = simulator
  .devices({ count: 20, seed: 8 })
  .find(({ firmware_version }) => firmware_version === '3.6.1')!
const healthy = observe({ device, seed: 8, startMs, minutes: 7200 })

/** The same unit with a fault from hour 10 on, at the nominal pace unless a failure is given. */
function faulty(mode: FaultModeName, failureHours?: number): readonly Observation[] {
  const onsetMs = startMs + 10 * hourMs
  const failure = failureHours === undefined ? {} : { failureMs: onsetMs + failureHours * hourMs }
  const faults = [{ deviceId: device.device_id, mode, onsetMs, ...failure }]
  return observe({ device, seed: 8, startMs, minutes: 7200, faults })
}

/** Mean of a sensor over hours after onset, running and away from defrost heat. */
function level(
  all: readonly Observation[],
  sensor: string,
  [from, to]: readonly [number, number],
): number {
  const span = all.filter(({ minute }) => minute >= 600 + from * 60 && minute < 600 + to * 60)
  const cold = span.filter((o) => isRunning(o) && Number(o.values.temperature_evaporator) < 5)
  return mean(numbers(cold.length > 0 ? cold : span, sensor))
}

/** Change against the healthy twin over hours after onset. */
function change(all: readonly Observation[], sensor: string, hours: readonly [number, number]) {
  return level(all, sensor, hours) - level(healthy, sensor, hours)
}

function ratio(all: readonly Observation[], sensor: string, hours: readonly [number, number]) {
  return level(all, sensor, hours) / level(healthy, sensor, hours)
}

describe('fault modes (MON-64)', () => {
  test('leave the unit byte by byte as it was before the onset', () => {
    for (const { name } of simulator.modes) {
      expect(faulty(name as FaultModeName).slice(0, 600)).toEqual(healthy.slice(0, 600))
    }
  })

  test('compressor_vibration_spike: vibration x 4 and current x 1.5 at once', () => {
    const all = faulty('compressor_vibration_spike')
    expect(ratio(all, 'vibration_compressor', [0, 8])).toBeCloseTo(4, 0)
    expect(ratio(all, 'current_compressor', [0, 8])).toBeCloseTo(1.5, 1)
  })

  test('refrigerant_leak: low side falls, coil warms, superheat rises, subcooling falls, runs longer', () => {
    const all = faulty('refrigerant_leak')
    expect(ratio(all, 'pressure_low_side', [38, 40])).toBeLessThan(0.4)
    expect(ratio(all, 'pressure_low_side', [2, 4])).toBeGreaterThan(0.75)
    expect(change(all, 'temperature_evaporator', [38, 40])).toBeGreaterThan(15)
    expect(change(all, 'superheat', [30, 40])).toBeGreaterThan(6)
    expect(change(all, 'subcooling', [30, 40])).toBeLessThan(-2.5)
    const late = all.filter(({ minute }) => minute > 600 + 24 * 60 && minute < 600 + 40 * 60)
    const twin = healthy.filter(({ minute }) => minute > 600 + 24 * 60 && minute < 600 + 40 * 60)
    expect(late.filter(isRunning).length).toBeGreaterThan(1.1 * twin.filter(isRunning).length)
  })

  test('temperature_drift: the coil warms by 0.2 °C an hour and defrosts more often', () => {
    const all = faulty('temperature_drift')
    expect(change(all, 'temperature_evaporator', [70, 74])).toBeGreaterThan(11)
    const defrosts = (o: readonly Observation[]) =>
      o.slice(600, 600 + 72 * 60).filter(({ values }) => values.defrost_cycle === true).length
    expect(defrosts(all)).toBeGreaterThan(1.2 * defrosts(healthy))
  })

  test('bearing_wear: vibration grows by 2 % an hour, then the compressor stops for good', () => {
    const all = faulty('bearing_wear')
    expect(ratio(all, 'vibration_compressor', [58, 60])).toBeGreaterThan(2.8)
    expect(ratio(all, 'vibration_compressor', [58, 60])).toBeLessThan(3.6)
    const after = all.filter(({ minute }) => minute > 600 + 61 * 60)
    expect(after.filter(isRunning)).toEqual([])
    expect(Math.min(...numbers(after.slice(120), 'temperature_evaporator'))).toBeGreaterThan(-5)
  })

  test('compressor_seizure: two readings of locked rotor, then no current and +2.5 °C a minute', () => {
    const all = faulty('compressor_seizure')
    const currents = numbers(all.slice(600), 'current_compressor')
    expect(currents.filter((current) => current > 30)).toHaveLength(2)
    expect(currents.slice(5).every((current) => current === 0)).toBe(true)
    const coil = numbers(all.slice(604, 610), 'temperature_evaporator')
    const rate = ((coil.at(-1) ?? 0) - (coil[0] ?? 0)) / 5
    expect(rate).toBeGreaterThan(2.2)
    expect(rate).toBeLessThan(3.4)
  })

  test('acute_leak: both pressures lose 40 % within 4 min while the compressor runs', () => {
    const all = faulty('acute_leak')
    const begin = all.findIndex(
      (o, index) =>
        index >= 600 &&
        Number(o.values.pressure_low_side) <
          0.75 * Number(all[index - 4]?.values.pressure_low_side) &&
        isRunning(all[index - 5]!),
    )
    expect(begin).toBeLessThan(600 + 45)
    expect(all.slice(begin, begin + 10).every(isRunning)).toBe(true)
    expect(ratio(all.slice(begin + 2), 'pressure_high_side', [0.5, 1])).toBeLessThan(0.7)
  })

  test('condenser_fouling: condenser, high side, discharge and current rise together over 48 h', () => {
    const all = faulty('condenser_fouling')
    expect(change(all, 'temperature_condenser', [46, 50])).toBeGreaterThan(4)
    expect(ratio(all, 'pressure_high_side', [46, 50])).toBeGreaterThan(1.1)
    expect(change(all, 'temperature_discharge', [46, 50])).toBeGreaterThan(8)
    expect(ratio(all, 'current_compressor', [46, 50])).toBeGreaterThan(1.07)
  })

  test('valve_hunting: superheat swings by several kelvin within minutes', () => {
    const all = faulty('valve_hunting')
    const steps = (o: readonly Observation[]) => {
      const values = numbers(o.slice(600 + 1440, 600 + 2880), 'superheat')
      return mean(values.slice(1).map((value, i) => Math.abs(value - (values[i] ?? 0))))
    }
    expect(steps(all)).toBeGreaterThan(5 * steps(healthy))
  })

  test('liquid_slugging: superheat below 3 K and a cool discharge line', () => {
    const all = faulty('liquid_slugging')
    expect(level(all, 'superheat', [10, 20])).toBeLessThan(3)
    expect(change(all, 'temperature_discharge', [10, 20])).toBeCloseTo(-20, -1)
  })

  test('short_cycling: whole cycles of 2 to 5 min', () => {
    const day = faulty('short_cycling').slice(600 + 600, 600 + 2040)
    const starts = day.filter(
      (o, index) => index > 0 && isRunning(o) && !isRunning(day[index - 1]!),
    )
    const minutes = day.filter(({ values }) => values.defrost_cycle === false).length
    expect(minutes / starts.length).toBeGreaterThan(2)
    expect(minutes / starts.length).toBeLessThan(5)
  })

  test('door_left_open: open for 2 h, +25 % humidity and +6 °C at its end, then as before', () => {
    const all = faulty('door_left_open')
    expect(all.slice(600, 720).every(({ values }) => values.door_open_close === true)).toBe(true)
    expect(change(all, 'temperature_evaporator', [1.5, 2])).toBeGreaterThan(3.5)
    expect(change(all, 'humidity', [1.5, 2])).toBeGreaterThan(15)
    expect(change(all, 'humidity', [4, 8])).toBeLessThan(2)
  })

  test('stuck_defrost: defrost without end, warming again after an hour', () => {
    const all = faulty('stuck_defrost').slice(600)
    expect(all.every(({ values }) => values.defrost_cycle === true)).toBe(true)
    const coil = numbers(all, 'temperature_evaporator')
    expect((coil[68] ?? 0) - (coil[63] ?? 0)).toBeGreaterThan(10)
  })

  test('sensor_failure: exactly -25.0; intermittent_dropout: 30 % of messages are empty', () => {
    expect(new Set(numbers(faulty('sensor_failure').slice(600), 'temperature_evaporator'))).toEqual(
      new Set([-25]),
    )
    const dropout = faulty('intermittent_dropout').slice(600)
    const empty = dropout.filter(({ values }) => Object.keys(values).length === 0)
    expect(Math.abs(empty.length / dropout.length - 0.3)).toBeLessThan(0.03)
  })

  test('power_loss: silence from the onset on', () => {
    expect(faulty('power_loss')).toEqual(healthy.slice(0, 600))
  })

  test('firmware_rescale: low side x 0.4 and nothing else', () => {
    const all = faulty('firmware_rescale')
    expect(ratio(all, 'pressure_low_side', [0, 24])).toBeCloseTo(0.4, 1)
    expect(change(all, 'temperature_evaporator', [0, 24])).toBe(0)
  })

  test('clock_drift: reading time 26 h ahead, sending time right', () => {
    for (const { timeMs, deviceMs, sentMs, delayMs } of faulty('clock_drift').slice(600, 700)) {
      expect(deviceMs - timeMs).toBe(26 * hourMs)
      expect(sentMs).toBe(timeMs + delayMs)
    }
  })

  test('buffered_replay: six hours arrive together, in order, two a second, then live again', () => {
    const all = faulty('buffered_replay')
    const arrivals = all.map(({ timeMs, delayMs }) => timeMs + delayMs)
    for (const [index, arrival] of arrivals.slice(1).entries()) {
      expect(arrival - (arrivals[index] ?? 0)).toBeGreaterThanOrEqual(500)
    }
    expect(arrivals[600]).toBeGreaterThanOrEqual(startMs + 16 * hourMs)
    expect(all[980]?.delayMs).toBeLessThan(11_000)
    expect(all.map(({ values }) => values)).toEqual(healthy.map(({ values }) => values))
  })

  test('season_change: the room warms by 6 °C within 5 days', () => {
    expect(change(faulty('season_change'), 'temperature_ambient', [100, 110])).toBeCloseTo(5.2, 0)
  })

  test('a plan with an earlier failure develops faster, and reaches the same severity', () => {
    const fast = faulty('bearing_wear', 30)
    expect(ratio(fast, 'vibration_compressor', [28.5, 30])).toBeGreaterThan(2.7)
    expect(fast.filter((o) => o.minute > 600 + 30 * 60 && isRunning(o))).toEqual([])
  })

  test('an unknown mode or another device is refused', () => {
    const plan = { deviceId: device.device_id, mode: 'gremlin', onsetMs: startMs }
    const start = (faults: readonly (typeof plan)[]) =>
      simulator.device({ device, seed: 1, startMs, faults })
    expect(() => start([plan])).toThrow(/mode gremlin is unknown; expected one of compressor_/)
    expect(() => start([{ ...plan, mode: 'power_loss', deviceId: 'X' }])).toThrow('device X is not')
  })
})
