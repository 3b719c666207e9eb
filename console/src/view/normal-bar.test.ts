import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deviation, deviationWords, excessText, normalBar, normalRangeText } from './normal-bar.ts'

const normal = { median: 7, low: 6, high: 9, spread: 1, scope: 'device' } as const
const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true })

describe('a value against its normal range', () => {
  it('lies on the bar in the same order as the numbers do', () => {
    fc.assert(
      fc.property(
        finite,
        finite,
        finite,
        fc.double({ min: 1e-6, max: 1e3, noNaN: true }),
        (a, b, value, spread) => {
          const [low, high] = a < b ? [a, b] : [b, a]
          const bar = normalBar(value, {
            median: (low + high) / 2,
            low,
            high,
            spread,
            scope: 'fleet',
          })
          for (const place of [bar.bandStart, bar.bandEnd, bar.marker]) {
            expect(place).toBeGreaterThanOrEqual(0)
            expect(place).toBeLessThanOrEqual(1)
          }
          expect(bar.bandStart).toBeLessThanOrEqual(bar.bandEnd)
          if (bar.isOutside && value > high) expect(bar.marker).toBeGreaterThanOrEqual(bar.bandEnd)
          if (bar.isOutside && value < low) expect(bar.marker).toBeLessThanOrEqual(bar.bandStart)
        },
      ),
    )
  })
  it('is described in words and units, never as a probability', () => {
    expect(deviationWords(8, normal)).toBe('in the normal range')
    expect(deviationWords(9.5, normal)).toBe('slightly above normal')
    expect(deviationWords(11, normal)).toBe('clearly above normal')
    expect(deviationWords(-5, normal)).toBe('far below normal')
    expect(excessText(11.5, normal, 'A')).toBe('+2.5 A')
    expect(excessText(4, normal, 'A')).toBe('−2.0 A')
    expect(excessText(7, normal, 'A')).toBe('')
    expect(normalRangeText(normal, 'A')).toBe('6.0 to 9.0 A')
  })
  it('counts usual spreads from the median', () => {
    expect(deviation(11, normal)).toBe(4)
    expect(deviation(5, normal)).toBe(-2)
  })
  it('works when history was constant', () => {
    const constant = { median: 5, low: 5, high: 5, spread: 0.1, scope: 'fleet' } as const
    const bar = normalBar(5, constant)
    expect(bar).toEqual({ bandStart: 0.5, bandEnd: 0.5, marker: 0.5, isOutside: false })
    expect(normalRangeText(constant, '')).toBe('5.00')
  })
})
