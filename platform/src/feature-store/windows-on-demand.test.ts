import { afterEach, describe, expect, it } from 'vitest'
import { featureJob } from '../features/index.ts'
import type { Lake } from '../lake/index.ts'
import { deviceSessions, sessionsOf } from './sessions.ts'
import { slidingWindows } from './sliding-windows.ts'
import {
  commitArrivals,
  day0,
  hourMs,
  minuteMs,
  rowsOf,
  temporaryLake,
} from './testing/arrivals.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const remove of open.splice(0)) await remove()
})

const nowMs = day0 + 30 * hourMs

async function lakeOfDay(): Promise<Lake> {
  const { lake, remove } = await temporaryLake()
  open.push(remove)
  const arrivals = ['A', 'B'].flatMap((device) =>
    Array.from({ length: 300 }, (_, minute) => {
      const at = day0 + minute * minuteMs
      const temperature = ((minute * 37) % 100) / 10
      return { device, at, arrivedAt: at, temperature, pressure: minute % 20 < 12 ? 12 : 0 }
    }),
  )
  await commitArrivals(lake, arrivals)
  await featureJob({ lake, nowMs }, { devices: [], finishUntilMs: day0 + 5 * hourMs })
  return lake
}

const request = {
  deviceIds: ['A'],
  durationMinutes: 60,
  slideMinutes: 20,
  fromMs: day0 + 10 * minuteMs,
  toMs: day0 + 4 * hourMs,
  devices: [],
}

describe('sliding windows', () => {
  it('start every slide, hold the readings of their hour, and equal stored ones where aligned', async () => {
    const lake = await lakeOfDay()
    const windows = await slidingWindows({ lake, nowMs }, request)
    expect(windows.map(({ startMs }) => (startMs - day0) / minuteMs)).toEqual([
      20, 40, 60, 80, 100, 120, 140, 160, 180,
    ])
    expect(windows.every(({ readingCount, isPartial }) => readingCount === 60 && !isPartial)).toBe(
      true,
    )
    const values = Array.from({ length: 60 }, (_, index) => (((20 + index) * 37) % 100) / 10)
    const mean = values.reduce((sum, value) => sum + value, 0) / 60
    expect(windows[0]?.values.temp_mean).toBeCloseTo(mean, 12)
    const stored = await rowsOf(lake, 'device_features', 'window_duration_minutes = 60')
    const hour = stored.find((row) => row.device_id === 'A' && row.window_start === day0 + hourMs)
    const aligned = windows.find(({ startMs }) => startMs === day0 + hourMs)
    for (const [name, value] of Object.entries(aligned?.values ?? {}))
      expect(value).toBe(hour?.[name])
  })

  it('are partial where less than two thirds of the readings are there', async () => {
    const lake = await lakeOfDay()
    const late = { ...request, fromMs: day0 + 4 * hourMs, toMs: day0 + 6 * hourMs }
    const windows = await slidingWindows({ lake, nowMs }, late)
    expect(windows.map(({ readingCount, isPartial }) => [readingCount, isPartial])).toEqual([
      [60, false],
      [40, false],
      [20, true],
    ])
  })

  it('are refused for a whole fleet, a slide that does not divide, and too many', async () => {
    const lake = await lakeOfDay()
    const refused = (more: Partial<typeof request>) =>
      expect(slidingWindows({ lake, nowMs }, { ...request, ...more })).rejects
    await refused({ deviceIds: [] }).toThrow(/never computed for a whole fleet/)
    await refused({ slideMinutes: 25 }).toThrow(/does not divide/)
    await refused({ toMs: request.fromMs + minuteMs }).toThrow(/shorter/)
    await refused({ slideMinutes: 1, toMs: day0 + 1000 * 24 * hourMs }).toThrow(/at most 50000/)
    await refused({ durationMinutes: 40 }).toThrow(/no windows of 40 min/)
  })
})

describe('session windows', () => {
  const readings = (pattern: string) =>
    [...pattern].map((sign, minute) => ({
      timeMs: minute * minuteMs,
      value: sign === '+' ? 3 : sign === '-' ? 0 : null,
    }))
  const shape = (pattern: string) =>
    sessionsOf(readings(pattern), { threshold: 0.5 }).map((s) => [
      s.startMs / minuteMs,
      s.endMs / minuteMs,
      s.precedingOffMinutes,
      s.closedBy,
    ])

  it('open at the threshold, bridge one minute below, and close after two', () => {
    expect(shape('--+++-++--+--')).toEqual([
      [2, 8, null, 'off'],
      [10, 11, 2, 'off'],
    ])
    expect(shape('++')).toEqual([[0, 2, null, 'end_of_data']])
    expect(shape('---')).toEqual([])
    expect(shape('')).toEqual([])
  })

  it('close at a gap of more than five minutes, and do not count it as off', () => {
    expect(shape('++     ++--')).toEqual([
      [0, 2, null, 'gap'],
      [7, 9, null, 'off'],
    ])
    expect(shape('++    ++--')).toEqual([[0, 8, null, 'off']])
  })

  it('come from the clean readings of a device', async () => {
    const lake = await lakeOfDay()
    const rule = { deviceId: 'B', sensor: 'pressure', threshold: 0.5 }
    const sessions = await deviceSessions(lake, { ...rule, fromMs: day0, toMs: day0 + hourMs })
    expect(
      sessions.map(({ runMinutes, precedingOffMinutes }) => [runMinutes, precedingOffMinutes]),
    ).toEqual([
      [12, null],
      [12, 8],
      [12, 8],
    ])
    const refused = (sensor: string) =>
      expect(deviceSessions(lake, { ...rule, sensor, fromMs: day0, toMs: day0 + 1 })).rejects
    await refused('current').toThrow(/no sensor current/)
  })
})
