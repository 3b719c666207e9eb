import { fitGroupStatistics, UNKNOWN_GROUP } from '@isotherm/anomaly'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CarriedValues, FeatureRows } from './feature-rows.ts'
import { carryLimitMs, imputeRows, type Normals } from './imputation.ts'

const names = ['a', 'b', 'c', 'd']

function rowsOf(cells: readonly (readonly number[])[], carried?: CarriedValues): FeatureRows {
  const rowCount = cells.length
  return {
    durationMinutes: 60,
    matrix: { values: Float64Array.from(cells.flat()), rowCount, columnNames: names },
    deviceIds: cells.map((_, row) => `device-${row}`),
    cohortIds: cells.map(() => 'x'),
    operatingModes: cells.map(() => null),
    windowStartMs: new Float64Array(rowCount),
    sensorCompleteness: new Float64Array(rowCount).fill(1),
    isLateCreated: new Uint8Array(rowCount),
    carried: carried ?? { rows: new Uint32Array(0), columnNames: [], values: new Float64Array(0) },
  }
}

/** Fleet medians 10, 20, 30, 40; the one cohort has 11, 21 and nothing for c and d. */
const normals: Normals = {
  fleet: {
    groupCount: 1,
    centres: Float64Array.of(10, 20, 30, 40),
    scales: Float64Array.of(1, 1, 1, 1),
    rowCounts: Uint32Array.of(9),
  },
  cohorts: {
    groupCount: 1,
    centres: Float64Array.of(11, 21, Number.NaN, Number.NaN),
    scales: Float64Array.of(1, 1, Number.NaN, Number.NaN),
    rowCounts: Uint32Array.of(9),
  },
}
const nan = Number.NaN
const inCohort = (count: number) => new Uint32Array(count)

describe('imputation (FEA-43, CON-29)', () => {
  it('takes the value carried forward, then the cohort median, then the fleet median', () => {
    const carried = { rows: Uint32Array.of(0), columnNames: ['b'], values: Float64Array.of(99) }
    const rows = rowsOf(
      [
        [1, nan, 3, nan],
        [nan, 2, nan, 4],
      ],
      carried,
    )
    const imputed = imputeRows(rows, names, inCohort(2), normals)
    expect([...imputed.matrix.values]).toEqual([1, 99, 3, 40, 11, 2, 30, 4])
    expect(imputed.filledCells).toEqual({ carried: 1, cohort: 1, fleet: 2 })
  })

  it('drops a row with more than half of its features imputed, and keeps one with exactly half', () => {
    const rows = rowsOf([
      [nan, nan, nan, 4],
      [nan, nan, 3, 4],
    ])
    const imputed = imputeRows(rows, names, inCohort(2), normals)
    expect([...imputed.keptRows]).toEqual([1])
    expect([...imputed.mostlyImputedRows]).toEqual([0])
  })

  it('counts a carried value as imputed', () => {
    const carried = {
      rows: Uint32Array.of(0),
      columnNames: ['a', 'b', 'c'],
      values: Float64Array.of(1, 2, 3),
    }
    const imputed = imputeRows(rowsOf([[nan, nan, nan, 4]], carried), names, inCohort(1), normals)
    expect(imputed.keptRows.length).toBe(0)
  })

  it('drops a row for which even the fleet has no value', () => {
    const fleet = { ...normals.fleet, centres: Float64Array.of(10, 20, 30, nan) }
    const imputed = imputeRows(rowsOf([[1, 2, 3, nan]]), names, inCohort(1), { ...normals, fleet })
    expect([...imputed.unfillableRows]).toEqual([0])
  })

  it('uses the fleet median for a device of unknown cohort', () => {
    const cohort = Uint32Array.of(UNKNOWN_GROUP)
    const imputed = imputeRows(rowsOf([[nan, 2, 3, 4]]), names, cohort, normals)
    expect(imputed.matrix.values[0]).toBe(10)
  })

  it('leaves measured cells alone, leaves no NaN, and invents no zero', () => {
    const cell = fc.oneof(fc.double({ min: 1, max: 1e6, noNaN: true }), fc.constant(nan))
    const row = fc.tuple(cell, cell, cell, cell)
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), (cells) => {
        const rows = rowsOf(cells)
        const { matrix, keptRows } = imputeRows(rows, names, inCohort(cells.length), normals)
        for (const [at, source] of keptRows.entries()) {
          for (let c = 0; c < 4; c++) {
            const before = cells[source]?.[c] ?? nan
            const after = matrix.values[at * 4 + c]!
            expect(after).not.toBe(0)
            expect(Number.isNaN(before) ? [11, 21, 30, 40][c] : before).toBe(after)
          }
        }
        expect(Number.isNaN(rows.matrix.values[0])).toBe(Number.isNaN(cells[0]?.[0]))
      }),
    )
  })

  it('carries at most 24 hours, for daily windows 7 days', () => {
    expect(carryLimitMs(15)).toBe(24 * 3_600_000)
    expect(carryLimitMs(1_440)).toBe(7 * 24 * 3_600_000)
  })

  it('imputes the training medians that a group fit of the same rows gives', () => {
    const rows = rowsOf([
      [1, 5, 9, 2],
      [3, 6, 9, 2],
      [nan, 7, 9, 2],
    ])
    const fleet = fitGroupStatistics(rows.matrix, new Uint32Array(3), 1)
    const cohorts = fitGroupStatistics(rows.matrix, new Uint32Array(3), 1)
    const imputed = imputeRows(rows, names, inCohort(3), { fleet, cohorts })
    expect(imputed.matrix.values[8]).toBe(2)
  })
})
