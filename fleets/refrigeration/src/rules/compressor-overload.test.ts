import { describe, expect, test } from 'vitest'
import { firings, repeat, runRule } from '../testing/rule-run.ts'
import { compressorOverload } from './compressor-overload.ts'

const calm = { current_compressor: 12 }
const overload = { current_compressor: 42.5 }

describe('COMPRESSOR_OVERLOAD (SRV-16)', () => {
  test('fires on the first reading above 40 A, with value and limit in the reason', () => {
    const verdicts = runRule(compressorOverload, [calm, overload])
    expect(firings(verdicts)).toEqual([1])
    expect(verdicts[1]?.reason).toBe('Compressor current is 42.5 A, above the limit of 40 A')
  })

  test('exactly the limit is not above it; a value above the sensor range is', () => {
    expect(firings(runRule(compressorOverload, [{ current_compressor: 40 }]))).toEqual([])
    expect(firings(runRule(compressorOverload, [{ current_compressor: 64 }]))).toEqual([0])
  })

  test('emits once while it fires, and again only after 5 readings at 95 % of the limit', () => {
    const almostCalm = { current_compressor: 38.1 }
    const samples = [
      ...[overload, ...repeat(8, almostCalm), overload],
      ...[...repeat(4, calm), overload, ...repeat(5, calm), overload],
    ]
    expect(firings(runRule(compressorOverload, samples))).toEqual([0, samples.length - 1])
  })

  test('a debounce of 3 needs consecutive readings and forgets them over a gap of 10 min', () => {
    const thresholds = { ...compressorOverload.thresholds, debounce_readings: 3 }
    const run = (minutes: readonly number[]) =>
      runRule(
        compressorOverload,
        minutes.map((minute) => ({ ...overload, minute })),
        thresholds,
      )
    expect(run([0, 1, 2]).map(({ phase }) => phase)).toEqual(['pending', 'pending', 'firing'])
    expect(firings(run([0, 1, 12, 13, 14]))).toEqual([4])
    const broken = runRule(compressorOverload, [overload, overload, calm, overload], thresholds)
    expect(firings(broken)).toEqual([])
  })

  test('is inactive until the device shows a current, and skips missing values', () => {
    const verdicts = runRule(compressorOverload, [{}, { current_compressor: null }, calm, {}])
    expect(verdicts.map(({ phase }) => phase)).toEqual(['inactive', 'inactive', 'idle', 'idle'])
  })

  test('a replay does not fire and neither does an older reading', () => {
    const samples = [calm, { ...overload, late: true }, calm, { ...overload, minute: 1 }]
    expect(firings(runRule(compressorOverload, samples))).toEqual([])
  })
})
