import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitPeriod } from './training-split.ts'

const dayMs = 86_400_000
const untilMs = Date.UTC(2026, 5, 1, 7, 30)
const historyOf = (days: number, durationMinutes = 60) =>
  splitPeriod({ firstWindowStartMs: untilMs - days * dayMs, untilMs, durationMinutes })

describe('the temporal split (MOD-34, FEA-16, FEA-17)', () => {
  it('is 62 days, 7 days gap and 21 days validation for a full period', () => {
    const split = historyOf(200)
    expect(split.kind).toBe('full')
    expect((split.validationStartMs - split.trainEndMs) / dayMs).toBe(7)
    expect((split.validationEndMs - split.validationStartMs) / dayMs).toBeGreaterThanOrEqual(21)
    expect((split.validationEndMs - split.trainStartMs) / dayMs).toBe(90)
  })

  it('keeps a 7-day gap and at least 5 days of validation from 30 days on', () => {
    const split = historyOf(40)
    expect(split.kind).toBe('short')
    expect((split.validationStartMs - split.trainEndMs) / dayMs).toBe(7)
    expect((split.validationEndMs - split.validationStartMs) / dayMs).toBeGreaterThanOrEqual(8)
  })

  it('keeps a one-day gap between 10 and 30 days', () => {
    const split = historyOf(14)
    expect(split.kind).toBe('reduced')
    expect((split.validationStartMs - split.trainEndMs) / dayMs).toBe(1)
  })

  it('trains on the first 80 % and validates on the rest below 10 days', () => {
    const split = historyOf(4)
    expect(split.kind).toBe('brief')
    expect(split.validationStartMs).toBe(split.trainEndMs)
    expect((split.trainEndMs - split.trainStartMs) / dayMs).toBeCloseTo(3.2, 1)
  })

  it('never lets a training window reach into validation, whatever the history', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 400, noNaN: true }),
        fc.constantFrom(15, 60),
        (days, minutes) => {
          const split = historyOf(days, minutes)
          expect(split.trainStartMs).toBeLessThan(split.trainEndMs)
          expect(split.trainEndMs).toBeLessThanOrEqual(split.validationStartMs)
          expect(split.validationStartMs).toBeLessThan(split.validationEndMs)
          expect(split.validationEndMs).toBeLessThanOrEqual(untilMs)
          expect(split.trainEndMs % (minutes * 60_000)).toBe(0)
          if (split.kind !== 'brief') expect(split.trainEndMs % dayMs).toBe(0)
        },
      ),
    )
  })

  it('says what is missing when there is next to no history', () => {
    expect(() => historyOf(0.1)).toThrow(/at least 5 of them before 2026-06-01/)
  })
})
