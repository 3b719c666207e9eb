import { expect, test } from 'vitest'
import { DeviceClocks, type ZoneSuspicion } from './device-clock.ts'

const startMs = Date.UTC(2026, 10, 21)
const minuteMs = 60_000

/** A device that reports every minute over a way that takes 0.2 to 3 s. */
function run(
  clocks: DeviceClocks,
  options: { readonly minutes: number; readonly offsetMs: number; readonly ppm?: number },
): void {
  const { minutes, offsetMs, ppm = 0 } = options
  for (let n = 0; n < minutes; n++) {
    const sentMs = startMs + n * minuteMs
    const wayMs = 200 + ((n * 7_919) % 2_800)
    const driftMs = (n * minuteMs * ppm) / 1e6
    clocks.observe('A', sentMs + offsetMs + driftMs, sentMs + wayMs)
  }
}

test('offset and drift are found within the time the way takes', () => {
  for (const [offsetMs, ppm] of [
    [0, 0],
    [90_000, 0],
    [-4_000_000, 0],
    [5_000, 100],
    [-700, -50],
  ] as const) {
    const clocks = new DeviceClocks()
    run(clocks, { minutes: 240, offsetMs, ppm })
    const truthMs = offsetMs + (239 * minuteMs * ppm) / 1e6
    const clock = clocks.of('A')
    expect(Math.abs((clock?.offsetMs ?? Number.NaN) - truthMs)).toBeLessThan(1_000)
    expect(Math.abs((clock?.driftPpm ?? Number.NaN) - ppm)).toBeLessThan(60)
  }
})

test('a flush of an hour of kept readings moves neither offset nor zone', () => {
  const clocks = new DeviceClocks()
  const told: ZoneSuspicion[] = []
  clocks.onSuspicion((suspicion) => told.push(suspicion))
  run(clocks, { minutes: 60, offsetMs: 0 })
  const backMs = startMs + 120 * minuteMs
  for (let n = 60; n < 120; n++) clocks.observe('A', startMs + n * minuteMs, backMs + n)
  clocks.observe('A', backMs, backMs + 300)
  expect(Math.abs(clocks.of('A')?.offsetMs ?? Number.NaN)).toBeLessThan(2_000)
  expect(told).toEqual([])
})

test('ten on-line messages in the same wrong zone are a suspicion, ING-45, until it is put right', () => {
  const clocks = new DeviceClocks()
  const told: ZoneSuspicion[] = []
  clocks.onSuspicion((suspicion) => told.push(suspicion))
  run(clocks, { minutes: 10, offsetMs: 90 * minuteMs })
  expect(told).toEqual([])
  run(clocks, { minutes: 11, offsetMs: 90 * minuteMs })
  expect(told).toEqual([{ deviceId: 'A', minutes: 90 }])
  expect(clocks.of('A')?.suspectZoneMinutes).toBe(90)
  expect(clocks.suspectCount).toBe(1)
  run(clocks, { minutes: 12, offsetMs: 0 })
  expect(told.at(-1)).toEqual({ deviceId: 'A', minutes: undefined })
  expect(clocks.suspectCount).toBe(0)
})

test('a clock that is off by no whole quarter of an hour, or by a day, is no fault of zone', () => {
  for (const offsetMs of [-8 * minuteMs, 38 * minuteMs - 1, 24 * 60 * minuteMs]) {
    const clocks = new DeviceClocks()
    run(clocks, { minutes: 30, offsetMs })
    expect(clocks.of('A')?.suspectZoneMinutes).toBeUndefined()
  }
})

test('the worst clocks come first, right ones are left out, unknown devices have none', () => {
  const clocks = new DeviceClocks()
  for (const [deviceId, offsetMs] of [
    ['right', 0],
    ['slow', -60_000],
    ['fast', 600_000],
  ] as const) {
    clocks.observe(deviceId, startMs + offsetMs, startMs + 100)
  }
  expect(clocks.worst({ overMs: 5_000, limit: 10 }).map(({ deviceId }) => deviceId)).toEqual([
    'fast',
    'slow',
  ])
  expect(clocks.of('nobody')).toBeUndefined()
})

test('a clock that was put right is believed within half an hour', () => {
  const clocks = new DeviceClocks()
  run(clocks, { minutes: 240, offsetMs: 600_000 })
  for (let n = 240; n < 275; n++) {
    const sentMs = startMs + n * minuteMs
    clocks.observe('A', sentMs, sentMs + 400)
  }
  expect(Math.abs(clocks.of('A')?.offsetMs ?? Number.NaN)).toBeLessThan(1_000)
})
