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
  it('cover exactly the buckets in which it was true, over a single missing value', () => {
    const readings = exampleReadings([], [0, 1, null, 0.2, 0, 1, 0], [0, 1, 2, 3, 4, 5, 6])
    const bands = bandsOf(readings, 'defrost', 'defrost')
    const minutes = bands.map(({ start, end }) => [(start - startS) / 60, (end - startS) / 60])
    expect(minutes).toEqual([
      [1, 4],
      [5, 6],
    ])
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
