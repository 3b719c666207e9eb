import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  NAB_PROFILES,
  nabProbationaryRows,
  nabScore,
  type RowWindow,
  rowWindowsOfTimes,
} from './nab-score.ts'

const windows: readonly RowWindow[] = [
  { start: 200, end: 250 },
  { start: 400, end: 403 },
  { start: 700, end: 800 },
]

function detecting(isDetection: (row: number) => boolean, rowCount = 1000) {
  const scores = Float64Array.from({ length: rowCount }, (_, row) => (isDetection(row) ? 1 : 0))
  return { scores, threshold: 0.5, windows }
}

describe('NAB score', () => {
  test('equals a row-by-row derivation from the rules of NAB’s sweeper for all profiles', () => {
    // Python 3.11, 1,000 rows, a detection wherever (7919 · row) mod 97 = 0.
    const series = detecting((row) => (row * 7919) % 97 === 0)
    const expected = [
      [NAB_PROFILES.standard, -2.3275202333374576, 11.207996111042371],
      [NAB_PROFILES.rewardLowFalsePositives, -3.1993763515331395, -3.3229391922189913],
      [NAB_PROFILES.rewardLowFalseNegatives, -4.327520233337458, 18.58310851847269],
    ] as const
    for (const [profile, raw, normalised] of expected) {
      const found = nabScore([series], profile)
      expect(found.raw).toBeCloseTo(raw, 12)
      expect(found.normalised).toBeCloseTo(normalised, 10)
    }
  })

  test('the perfect detector scores 100 and the silent one 0', () => {
    const starts = new Set(windows.map(({ start }) => start))
    for (const profile of Object.values(NAB_PROFILES)) {
      expect(nabScore([detecting((row) => starts.has(row))], profile).normalised).toBe(100)
      expect(nabScore([detecting(() => false)], profile).normalised).toBe(0)
    }
  })

  test('an earlier detection never scores less, a second one in the window changes nothing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 700, max: 798 }),
        fc.integer({ min: 1, max: 50 }),
        (row, step) => {
          const early = nabScore([detecting((at) => at === row)])
          const late = nabScore([detecting((at) => at === Math.min(799, row + step))])
          const both = nabScore([detecting((at) => at === row || at === Math.min(799, row + step))])
          expect(early.raw).toBeGreaterThanOrEqual(late.raw)
          expect(both.raw).toBe(early.raw)
        },
      ),
    )
  })

  test('a false alarm costs more the farther it lies behind a window, and fully before any', () => {
    const cost = (row: number) => nabScore([detecting((at) => at === row)]).raw + 3
    expect(cost(250)).toBeGreaterThan(cost(270))
    expect(cost(270)).toBeGreaterThan(cost(395))
    expect(cost(180)).toBeCloseTo(-0.11, 12)
    expect(cost(395)).toBeCloseTo(-0.11, 6)
  })

  test('probationary rows count nothing', () => {
    expect(nabProbationaryRows(1000)).toBe(150)
    expect(nabProbationaryRows(20_000)).toBe(750)
    const alarms = nabScore([detecting((row) => row < 150)])
    expect(alarms).toMatchObject({ raw: -3, falsePositiveRowCount: 0, detectedWindowCount: 0 })
    const early = { ...detecting(() => true), windows: [{ start: 20, end: 30 }] }
    expect(nabScore([early]).windowCount).toBe(0)
    expect(nabScore([early]).normalised).toBeNaN()
  })

  test('files add up to the corpus', () => {
    const one = detecting((row) => row % 50 === 0)
    const two = detecting((row) => row === 210)
    const corpus = nabScore([one, two])
    expect(corpus.raw).toBeCloseTo(nabScore([one]).raw + nabScore([two]).raw, 12)
    expect(corpus.windowCount).toBe(6)
  })

  test('windows in time become rows, both ends inside', () => {
    const times = [0, 10, 20, 30, 40]
    const found = rowWindowsOfTimes(times, [
      [10, 30],
      [32, 38],
      [40, 99],
    ])
    expect(found).toEqual([
      { start: 1, end: 4 },
      { start: 4, end: 5 },
    ])
  })

  test('NaN scores, overlapping windows and windows past the end are refused', () => {
    const series = detecting(() => false)
    const broken = { ...series, scores: Float64Array.of(0, Number.NaN), windows: [] }
    expect(() => nabScore([broken])).toThrow('score 1 is NaN')
    const overlapping = { ...series, windows: [windows[0]!, { start: 249, end: 260 }] }
    expect(() => nabScore([overlapping])).toThrow('windows[1]')
    expect(() => nabScore([{ ...series, windows: [{ start: 990, end: 1001 }] }])).toThrow('end')
  })
})
