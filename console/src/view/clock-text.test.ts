import { expect, test } from 'vitest'
import { clockSentence, isClockWrong } from './clock-text.ts'

const clock = {
  device_id: 'A',
  offset_seconds: -0.4,
  drift_ppm: null,
  suspect_zone_minutes: null,
  sample_count: 9,
  heard_at: '2026-11-21T08:00:00.000Z',
}

test('a right clock, a wrong one, a zone and a drift are told in words', () => {
  expect(clockSentence(clock)).toBe('Clock: right')
  expect(clockSentence({ ...clock, offset_seconds: -90 })).toBe('Clock: 90 s behind')
  expect(clockSentence({ ...clock, offset_seconds: 5_400, suspect_zone_minutes: 90 })).toBe(
    'Clock: 90 min ahead, as if in a time zone 1.5 h ahead',
  )
  expect(clockSentence({ ...clock, drift_ppm: -200 })).toBe('Clock: right, loses 17 s a day')
  expect(clockSentence({ ...clock, offset_seconds: null })).toMatch('no message')
})

test('only clocks that are off or in a wrong zone are for somebody to look at', () => {
  expect(isClockWrong(clock)).toBe(false)
  expect(isClockWrong({ ...clock, offset_seconds: 60 })).toBe(true)
  expect(isClockWrong({ ...clock, offset_seconds: null })).toBe(false)
})
