import { describe, expect, test } from 'vitest'
import { firings, repeat, runRule, type Sample } from '../testing/rule-run.ts'
import { acutePressureLoss } from './acute-pressure-loss.ts'

function pressure(value: number, rest: Sample = {}): Sample {
  return { pressure_low_side: value, current_compressor: 12, defrost_cycle: false, ...rest }
}

const steady = repeat(20, pressure(200))
const leak = [180, 160, 140, 120, 119, 118].map((value) => pressure(value))

describe('ACUTE_PRESSURE_LOSS (SRV-18)', () => {
  test('is pending below 70 % of the last 5 min and fires on the second such reading', () => {
    const verdicts = runRule(acutePressureLoss, [...steady, ...leak])
    expect(verdicts.slice(20).map(({ phase }) => phase)).toEqual([
      ...['idle', 'idle', 'idle', 'pending', 'firing', 'firing'],
    ])
    expect(verdicts[24]?.reason).toBe(
      'Low-side pressure fell from 200 to 119 kPa within 5 min, below the limit of 140 kPa',
    )
  })

  test('exactly 70 % is not below it', () => {
    expect(firings(runRule(acutePressureLoss, [...steady, ...repeat(4, pressure(140))]))).toEqual(
      [],
    )
  })

  test('a normal start pulls the pressure down by half and does not fire', () => {
    const off = repeat(10, pressure(390, { current_compressor: 0 }))
    const start = [...off, ...repeat(10, pressure(195))]
    expect(firings(runRule(acutePressureLoss, start))).toEqual([])
  })

  test('neither does a start whose first readings miss the current', () => {
    for (const gap of [1, 2, 3, 4]) {
      const off = repeat(10, pressure(390, { current_compressor: 0 }))
      const blind = repeat(gap, pressure(195, { current_compressor: null }))
      const lastOff = pressure(390, { current_compressor: null })
      const start = [...off, ...blind, ...repeat(10, pressure(195))]
      expect(firings(runRule(acutePressureLoss, start))).toEqual([])
      const hidden = [...off, lastOff, ...repeat(10, pressure(195))]
      expect(firings(runRule(acutePressureLoss, hidden))).toEqual([])
    }
  })

  test('a missing current inside a leak delays the alert by no more than itself', () => {
    const blind = leak.map((sample, index) =>
      index === 4 ? { ...sample, current_compressor: null } : sample,
    )
    expect(firings(runRule(acutePressureLoss, [...steady, ...blind]))).toEqual([25])
  })

  test('with the compressor state unknown it takes three readings', () => {
    const unknown = [...steady, ...leak].map((sample) => ({ ...sample, current_compressor: null }))
    expect(firings(runRule(acutePressureLoss, unknown))).toEqual([25])
  })

  test('is not judged within 15 min of a defrost', () => {
    const defrost = repeat(5, pressure(400, { defrost_cycle: true }))
    const after = (minutes: number) => [...defrost, ...repeat(minutes, pressure(200)), ...leak]
    expect(firings(runRule(acutePressureLoss, after(8)))).toEqual([])
    expect(firings(runRule(acutePressureLoss, after(12)))).toEqual([21])
  })

  test('needs three readings that span two minutes', () => {
    const two = [pressure(200), pressure(200), ...repeat(2, pressure(100))]
    expect(firings(runRule(acutePressureLoss, two))).toEqual([])
    const close = [0, 0.4, 0.8, 1.2, 1.6].map((minute, index) =>
      pressure(index < 3 ? 200 : 100, { minute }),
    )
    expect(firings(runRule(acutePressureLoss, close))).toEqual([])
  })

  test('a gap of more than 10 min ends pending and keeps firing', () => {
    const pending = [...steady, ...leak.slice(0, 4), pressure(100, { minute: 40 })]
    expect(runRule(acutePressureLoss, pending).at(-1)?.phase).toBe('idle')
    const fired = [...steady, ...leak, pressure(100, { minute: 37 })]
    expect(runRule(acutePressureLoss, fired).at(-1)?.phase).toBe('firing')
  })

  test('ends after 5 readings at 85 % of the old level, or after 30 min', () => {
    const recovered = [...steady, ...leak, ...repeat(5, pressure(170))]
    const phases = runRule(acutePressureLoss, recovered).map(({ phase }) => phase)
    expect(phases.slice(-2)).toEqual(['firing', 'idle'])
    const low = [...steady, ...leak, ...repeat(30, pressure(118))]
    expect(
      runRule(acutePressureLoss, low)
        .slice(-2)
        .map(({ phase }) => phase),
    ).toEqual([...['idle', 'idle']])
    expect(runRule(acutePressureLoss, low).at(-4)?.phase).toBe('firing')
  })

  test('missing pressures and replays do not fire', () => {
    const replay = [...steady, ...leak.map((sample) => ({ ...sample, late: true }))]
    expect(firings(runRule(acutePressureLoss, replay))).toEqual([])
    const missing = runRule(acutePressureLoss, [{ current_compressor: 12 }])
    expect(missing[0]?.phase).toBe('inactive')
  })
})
