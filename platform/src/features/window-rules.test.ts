import { describe, expect, it } from 'vitest'
import { defineFleet, exampleFleet } from '../contracts/index.ts'
import { expectedReadings, watermarkOf, windowRules, windowStart } from './window-rules.ts'

const minuteMs = 60_000

describe('window rules', () => {
  it('come shortest first; a fleet refuses windows that do not divide the day', () => {
    expect(windowRules(exampleFleet).map(({ minutes }) => minutes)).toEqual([15, 60, 1440])
    expect(() => defineFleet({ ...exampleFleet, models: [], windowMinutes: [7] })).toThrow(
      'windows of 7 min do not divide the day',
    )
  })

  it('align windows to UTC midnight, half-open (FEA-5)', () => {
    const [quarter] = windowRules(exampleFleet)
    const end = Date.UTC(2026, 2, 29, 1, 15)
    expect(windowStart(end - 1, quarter!)).toBe(end - 15 * minuteMs)
    expect(windowStart(end, quarter!)).toBe(end)
  })

  it('expect readings by the reporting interval (FEA-12)', () => {
    expect([15, 60, 1440].map((minutes) => expectedReadings(minutes, 60))).toEqual([15, 60, 1440])
    expect(expectedReadings(60, 120)).toBe(30)
  })

  it('take the slowest partition heard in the last five minutes as watermark (FEA-10)', () => {
    const now = Date.UTC(2026, 1, 16)
    expect(watermarkOf([])).toBeUndefined()
    expect(watermarkOf([now, now - 5 * minuteMs, now - 5 * minuteMs - 1])).toBe(now - 5 * minuteMs)
  })
})
