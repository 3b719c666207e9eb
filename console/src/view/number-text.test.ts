import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countText, numberText, plural, scoreText, valueText } from './number-text.ts'

describe('numbers for people', () => {
  it('are rounded as finely as their resolution and no finer', () => {
    expect(numberText(12.3456, 0.1)).toBe('12.3')
    expect(numberText(1725.4, 2)).toBe('1725')
    expect(numberText(0.0123, 0.001)).toBe('0.012')
  })
  it('carry a real minus sign, but none on a rounded zero', () => {
    expect(numberText(-18.44)).toBe('−18.4')
    expect(numberText(-0.01)).toBe('0.0')
  })
  it('are never NaN or Infinity on the page', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(numberText(value)).not.toMatch(/NaN|Infinity/)
      }),
    )
  })
  it('say when there is no value', () => {
    expect(valueText(null, '°C')).toBe('no value')
    expect(valueText(55.21, '%', 0.1)).toBe('55.2 %')
  })
  it('show a score with two decimals and no percent sign', () => {
    expect(scoreText(0.934)).toBe('0.93')
    expect(scoreText(null)).toBe('–')
  })
  it('separate thousands and agree with their noun', () => {
    expect(countText(1234567)).toBe('1\u2009234\u2009567')
    expect([plural(1, 'alert'), plural(2, 'alert')]).toEqual(['1 alert', '2 alerts'])
  })
})
