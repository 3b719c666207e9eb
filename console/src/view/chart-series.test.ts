import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alertMarks, bandsOf, gaugeColumns, newestValue } from './chart-series.ts'
import { exampleAlert, exampleNowMs, exampleReadings } from './test-support.ts'

const startS = exampleNowMs / 1000

describe('the columns of a chart', () => {
  it('bridge one missing value and break after longer silence', () => {
    const readings = exampleReadings([1, null, 3, 4], [], [0, 1, 2, 9])
    const [times, mean, min, max] = gaugeColumns(readings, 'temperature') ?? []
    expect(times?.map((time) => (time - startS) / 60)).toEqual([0, 2, 3, 9])
    expect(mean).toEqual([1, 3, null, 4])
    expect(min).toEqual([0, 2, null, 3])
    expect(max).toEqual([2, 4, null, 5])
  })
  it('are absent for a sensor that is no gauge or not there', () => {
    const readings = exampleReadings([1], [0])
    expect(gaugeColumns(readings, 'defrost')).toBeUndefined()
    expect(gaugeColumns(readings, 'nothing')).toBeUndefined()
  })
})

describe('bands of a state', () => {
  const bandsIn = (fractions: readonly (number | null)[]) =>
    bandsOf(exampleReadings([], fractions, [...fractions.keys()]), 'defrost', 'defrost').map(
      ({ start, end }) => [start, end].map((time) => Math.round((time - startS) / 6) / 10),
    )

  it('cover the time in which it was true, over a single missing value', () => {
    expect(bandsIn([0, 1, null, 0.2, 0, 1, 0])).toEqual([
      [1, 3.2],
      [5, 6],
    ])
  })
  it('cover only the share of a bucket, next to the neighbour that was true too', () => {
    expect(bandsIn([0, 0.4, 1, 0.5, 0])).toEqual([[1.6, 3.5]])
    expect(bandsIn([0, 0.2, 0])).toEqual([[1.4, 1.6]])
  })
  it('add up to the time the state was true, whatever its course', () => {
    const fraction = fc.constantFrom(0, 0.2, 0.5, 1)
    fc.assert(
      fc.property(fc.array(fraction, { maxLength: 40 }), (fractions) => {
        const readings = exampleReadings([], fractions, [...fractions.keys()])
        const covered = bandsOf(readings, 'defrost', 'defrost').reduce(
          (sum, { start, end }) => sum + end - start,
          0,
        )
        const wanted = fractions.reduce<number>((sum, value) => sum + value, 0) * 60
        // Seconds since 1970 leave a microsecond of rounding per band.
        expect(covered).toBeCloseTo(wanted, 3)
      }),
    )
  })
})

describe('marks and newest values', () => {
  it('mark where unsuppressed alerts began, in order of time', () => {
    const early = exampleAlert({ first_detected_at: '2026-02-15T01:00:00.000Z', severity: 'LOW' })
    const hidden = exampleAlert({ suppressed: true })
    expect(alertMarks([exampleAlert(), early, hidden]).map(({ severity }) => severity)).toEqual([
      'LOW',
      'HIGH',
    ])
  })
  it('give the last value there is', () => {
    const readings = exampleReadings([1, 2, null], [0, 0, 1])
    expect(newestValue(readings, 'temperature')?.value).toBe(2)
    expect(newestValue(readings, 'nothing')).toBeUndefined()
  })
})
