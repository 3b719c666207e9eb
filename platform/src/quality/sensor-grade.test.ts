import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gradeSensor } from './sensor-grade.ts'
import { seriesFigures } from './sensor-series.ts'

const options = { rangeWidth: 100, stuckReadings: 60, rowsPerDay: 1440 }
const length = 1440

/** A sawtooth with a period of 20 rows. */
const saw = (row: number) => (row % 20) / 10

function graded(
  valueAt: (row: number) => number,
  { isRunning = () => true, violations = 0, peers = 0 } = {} as {
    isRunning?: (row: number) => boolean
    violations?: number
    peers?: number
  },
) {
  const values = Float64Array.from({ length }, (_, row) => valueAt(row))
  const running = Uint8Array.from({ length }, (_, row) => (isRunning(row) ? 1 : 0))
  return gradeSensor(seriesFigures(values, running, violations, options), options, peers)
}

/** Longest run by looking at every pair of ends. */
function naiveRun(values: readonly number[]): number {
  let longest = 0
  for (let from = 0; from < values.length; from++) {
    for (let to = from; to < values.length; to++) {
      const part = values.slice(from, to + 1).filter((value) => !Number.isNaN(value))
      if (new Set(part).size === 1) longest = Math.max(longest, part.length)
    }
  }
  return longest
}

describe('the figures of a series', () => {
  it('count the longest run of one value like a look at every stretch, nulls left out', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(1, 2, Number.NaN), { maxLength: 14 }), (values) => {
        const running = new Uint8Array(values.length).fill(1)
        const { longestRun } = seriesFigures(Float64Array.from(values), running, 0, options)
        expect(longestRun).toBe(naiveRun(values))
      }),
    )
  })

  it('of nothing are zero', () => {
    const figures = seriesFigures(new Float64Array(), new Uint8Array(), 0, options)
    expect(figures).toMatchObject({ rowCount: 0, longestRun: 0, jumpShare: 0, levelChange: 0 })
    expect(gradeSensor(figures, options, 0)).toEqual({ grade: 'usable' })
  })
})

describe('the grade of a sensor', () => {
  it('is usable for a series that moves, whatever its level', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e4, max: 1e4, noNaN: true }), (level) => {
        expect(graded((row) => level + saw(row))).toEqual({ grade: 'usable' })
      }),
      { numRuns: 20 },
    )
  })

  it('is dead when hardly anything comes, weak when much is missing', () => {
    const some = (every: number) => (row: number) => (row % every === 0 ? saw(row) : Number.NaN)
    expect(graded(some(20))).toMatchObject({ grade: 'dead', reason: 'DROPOUT' })
    expect(graded(some(2))).toMatchObject({ grade: 'weak', reason: 'GAPS', share: 0.5 })
  })

  it('is weak after a stuck episode and dead when it lasts', () => {
    const still = (from: number, to: number) => (row: number) =>
      row >= from && row < to ? 7 : saw(row)
    expect(graded(still(200, 258))).toEqual({ grade: 'usable' })
    expect(graded(still(200, 300))).toMatchObject({ grade: 'weak', reason: 'STUCK' })
    expect(graded(still(1200, 1440))).toMatchObject({ grade: 'dead', reason: 'STUCK' })
  })

  it('does not call a sensor stuck while the machine stands still', () => {
    const rests = (row: number) => row >= 300 && row < 700
    const valueAt = (row: number) => (rests(row) ? 7 : saw(row))
    expect(graded(valueAt)).toMatchObject({ reason: 'STUCK' })
    expect(graded(valueAt, { isRunning: (row) => !rests(row) })).toEqual({ grade: 'usable' })
  })

  it('is weak for readings that stand alone, not for a level that moves and returns', () => {
    expect(graded((row) => saw(row) + (row % 50 === 0 ? 30 : 0))).toMatchObject({
      ...{ grade: 'weak', reason: 'JUMPS' },
    })
    expect(graded((row) => saw(row) + (row % 360 < 20 ? 30 : 0))).toEqual({ grade: 'usable' })
  })

  it('takes no offence at single readings of what is switched on and off', () => {
    const values = Float64Array.from({ length }, (_, row) => saw(row) + (row % 50 === 0 ? 30 : 0))
    const figures = seriesFigures(values, new Uint8Array(length).fill(1), 0, options)
    expect(gradeSensor(figures, { ...options, isSwitched: true }, 0)).toEqual({ grade: 'usable' })
  })

  it('sees drift beyond the peers, and none where all move together', () => {
    const rising = (row: number) => saw(row) + (10 * row) / length
    expect(graded(rising)).toMatchObject({ grade: 'weak', reason: 'DRIFT' })
    expect(graded(rising, { peers: 9 })).toEqual({ grade: 'usable' })
    expect(graded((row) => saw(row) + 5 * Math.sin(row / 120))).toEqual({ grade: 'usable' })
  })

  it('puts out-of-range values first', () => {
    const valueAt = (row: number) => (row < 900 ? Number.NaN : saw(row))
    expect(graded(valueAt, { violations: 900 })).toMatchObject({
      ...{ grade: 'dead', reason: 'OUT_OF_RANGE' },
    })
  })
})
