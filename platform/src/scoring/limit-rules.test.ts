import { describe, expect, it } from 'vitest'
import type { LimitRule } from '../contracts/index.ts'
import { evaluateLimitRules, yardstickScore } from './limit-rules.ts'
import { scoreFreshness } from './staleness.ts'

const rules: readonly LimitRule[] = [
  { feature: 'temp_evaporator_mean', above: 0, unlessPositive: 'defrost_active_fraction' },
  { feature: 'pressure_low_mean', below: 100 },
  { feature: 'pressure_ratio', below: 2, above: 8 },
]

describe('limit rules (SRV-36, MOD-14)', () => {
  it('name each broken limit with value and direction', () => {
    const verdict = evaluateLimitRules(rules, {
      temp_evaporator_mean: 3,
      pressure_low_mean: 92,
      pressure_ratio: 9,
    })
    expect(verdict).toEqual({
      kind: 'evaluated',
      broken: [
        { feature: 'temp_evaporator_mean', value: 3, limit: 0, direction: 'high' },
        { feature: 'pressure_low_mean', value: 92, limit: 100, direction: 'low' },
        { feature: 'pressure_ratio', value: 9, limit: 8, direction: 'high' },
      ],
    })
  })

  it('hold at the limit itself', () => {
    const row = { temp_evaporator_mean: 0, pressure_low_mean: 100, pressure_ratio: 2 }
    expect(evaluateLimitRules(rules, row)).toEqual({ kind: 'evaluated', broken: [] })
  })

  it('skip the evaporator while it defrosts', () => {
    const row = { temp_evaporator_mean: 12, defrost_active_fraction: 0.1 }
    expect(evaluateLimitRules(rules, row)).toEqual({ kind: 'evaluated', broken: [] })
  })

  it('take a null or NaN for no breach, and all missing for no evaluation', () => {
    const partly = evaluateLimitRules(rules, { pressure_low_mean: null, pressure_ratio: 5 })
    expect(partly).toEqual({ kind: 'evaluated', broken: [] })
    const missing = evaluateLimitRules(rules, {
      pressure_low_mean: null,
      pressure_ratio: Number.NaN,
    })
    expect(missing).toEqual({ kind: 'not_evaluated' })
  })

  it('score 0, 0.65, 0.75 and 0.90 as a yardstick', () => {
    expect([0, 1, 2, 3, 4].map(yardstickScore)).toEqual([0, 0.65, 0.75, 0.9, 0.9])
  })
})

describe('freshness of scores (SRV-35)', () => {
  it('passes through its states at 75 minutes, 2 and 4 hours', () => {
    const at = (minutes: number) => scoreFreshness(0, minutes * 60_000)
    expect([75, 75.1, 120, 120.1, 240, 240.1].map(at)).toEqual([
      'fresh',
      'stale',
      'stale',
      'very_stale',
      'very_stale',
      'expired',
    ])
    expect(scoreFreshness(undefined, 0)).toBe('expired')
  })
})
