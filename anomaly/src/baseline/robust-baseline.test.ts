import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { numberedColumns } from '../../testing/generated-tables.ts'
import { naiveQuantile } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { createRandom, nextIndex, nextNormal } from '../statistics/random.ts'
import {
  copyGroupStatistics,
  emptyGroupStatistics,
  fitGroupStatistics,
  UNKNOWN_GROUP,
} from './group-statistics.ts'
import { countDevices, fitRobustBaseline, type RowGroups } from './robust-baseline.ts'
import { explainRobustBaseline, scoreRobustBaseline } from './robust-baseline-score.ts'

function oneColumn(values: readonly number[]) {
  return featureMatrixOfRows(
    values.map((value) => [value]),
    ['x'],
  )
}

function statisticsOf(values: readonly number[], floor = 1e-9) {
  const groups = new Uint32Array(values.length)
  const { centres, scales } = fitGroupStatistics(oneColumn(values), groups, 1, { x: floor })
  return { centre: centres[0], scale: scales[0] }
}

/** Rows of `deviceCount` devices with their own level and spread; half the devices per cohort. */
function fleet(rowCount: number, deviceCount: number, seed: number) {
  const random = createRandom(seed)
  const deviceOfRow = Uint32Array.from({ length: rowCount }, () => nextIndex(random, deviceCount))
  const values = new Float64Array(rowCount * 4)
  for (let i = 0; i < values.length; i++) {
    const device = deviceOfRow[Math.floor(i / 4)] ?? 0
    values[i] = device + (1 + (device % 3)) * nextNormal(random)
  }
  const groups: RowGroups = {
    deviceOfRow,
    deviceCount,
    cohortOfRow: deviceOfRow.map((device) => device % 2),
    cohortCount: 2,
  }
  return { matrix: featureMatrix(values, numberedColumns(4)), groups }
}

describe('group statistics', () => {
  test('centre is the median, scale 1.4826 · MAD', () => {
    expect(statisticsOf([1, 2, 3, 4, 100])).toEqual({ centre: 3, scale: 1.4826 })
  })

  test('scale falls back to IQR, then standard deviation, then the floor', () => {
    // MAD 0, quartiles 5 and 6.
    expect(statisticsOf([5, 5, 5, 5, 5, 6, 6, 6])).toEqual({ centre: 5, scale: 1 / 1.349 })
    // MAD and IQR 0, population variance 9 · (1/10) · (9/10).
    const { scale } = statisticsOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 3])
    expect(scale).toBeCloseTo(0.9, 12)
    expect(statisticsOf([7, 7, 7], 0.1)).toEqual({ centre: 7, scale: 0.1 })
    expect(statisticsOf([1, 2, 3], 5)).toEqual({ centre: 2, scale: 5 })
  })

  test('selection by group gives what sorting each group gives', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(999),
        (rowCount, deviceCount, seed) => {
          const { matrix, groups } = fleet(rowCount, deviceCount, seed)
          const found = fitGroupStatistics(matrix, groups.deviceOfRow, deviceCount)
          for (let device = 0; device < deviceCount; device++) {
            const rows = [...groups.deviceOfRow.keys()].filter(
              (row) => groups.deviceOfRow[row] === device,
            )
            expect(found.rowCounts[device]).toBe(rows.length)
            if (rows.length === 0) expect(found.centres[device * 4]).toBeNaN()
            if (rows.length === 0) continue
            for (let column = 0; column < 4; column++) {
              const values = rows.map((row) => matrix.values[row * 4 + column] ?? 0)
              const median = naiveQuantile(values, 0.5)
              const mad = naiveQuantile(
                values.map((value) => Math.abs(value - median)),
                0.5,
              )
              expect(found.centres[device * 4 + column]).toBeCloseTo(median, 10)
              if (mad > 0) expect(found.scales[device * 4 + column]).toBeCloseTo(1.4826 * mad, 10)
            }
          }
        },
      ),
    )
  })

  test('chunks of whole groups join to the statistics of all', () => {
    const { matrix, groups } = fleet(600, 6, 3)
    const whole = fitGroupStatistics(matrix, groups.deviceOfRow, 6)
    const joined = emptyGroupStatistics(6, 4)
    for (const first of [0, 3]) {
      const local = groups.deviceOfRow.map((device) =>
        device >= first && device < first + 3 ? device - first : UNKNOWN_GROUP,
      )
      copyGroupStatistics(joined, first, fitGroupStatistics(matrix, local, 3))
    }
    expect(joined).toEqual(whole)
    expect(() => copyGroupStatistics(joined, 5, emptyGroupStatistics(2, 4))).toThrow('last group')
  })

  test('missing cells are left out; infinite cells and unknown floors are refused', () => {
    expect(statisticsOf([1, Number.NaN, 2, 3])).toEqual({ centre: 2, scale: 1.4826 })
    expect(statisticsOf([Number.NaN])).toEqual({ centre: Number.NaN, scale: Number.NaN })
    expect(() => statisticsOf([1, Number.POSITIVE_INFINITY])).toThrow('row 1, column x is infinite')
    const fit = (floors: Record<string, number>) => () =>
      fitGroupStatistics(oneColumn([1]), new Uint32Array(1), 1, floors)
    expect(fit({ y: 1 })).toThrow('names of columns')
    expect(fit({ x: 0 })).toThrow('floors.x')
  })
})

describe('robust baseline', () => {
  test('raw score is the mean of the three largest |z|, contributions are signed z', () => {
    const rows = [-2, -1, 0, 1, 2].map((value) => [value, value, value, value])
    const matrix = featureMatrixOfRows(rows, numberedColumns(4))
    const groups = { deviceOfRow: new Uint32Array(5), deviceCount: 1 }
    const baseline = fitRobustBaseline(matrix, groups)
    const probe = featureMatrixOfRows(
      [[1.4826, -2 * 1.4826, 3 * 1.4826, 6 * 1.4826]],
      numberedColumns(4),
    )
    const probed = { deviceOfRow: new Uint32Array(1) }
    expect(scoreRobustBaseline(baseline, probe, probed).scores[0]).toBeCloseTo(11 / 3, 12)
    const z = explainRobustBaseline(baseline, probe, probed, [0])
    for (const [i, expected] of [1, -2, 3, 6].entries()) expect(z[i]).toBeCloseTo(expected, 12)
  })

  test('scope is device when ready, else a large cohort, else the fleet', () => {
    const { matrix, groups } = fleet(400, 40, 4)
    const counts = fitGroupStatistics(matrix, groups.deviceOfRow, 40).rowCounts
    const ready = counts.findIndex((count) => count >= 12)
    const short = counts.findIndex((count, device) => count < 12 && device % 2 === 0)
    const baseline = fitRobustBaseline(matrix, groups, { minDeviceRows: 12, minCohortDevices: 5 })
    const probe = featureMatrix(new Float64Array(16), numberedColumns(4))
    const { scopes } = scoreRobustBaseline(baseline, probe, {
      deviceOfRow: Uint32Array.of(ready, short, UNKNOWN_GROUP, UNKNOWN_GROUP),
      cohortOfRow: Uint32Array.of(0, 0, 1, UNKNOWN_GROUP),
    })
    expect(Array.from(scopes)).toEqual([2, 1, 1, 0])
    const picky = fitRobustBaseline(matrix, groups, { minDeviceRows: 12, minCohortDevices: 30 })
    const again = scoreRobustBaseline(picky, probe, {
      deviceOfRow: Uint32Array.of(ready, short, 999, 999),
      cohortOfRow: Uint32Array.of(0, 0, 1, 7),
    })
    expect(Array.from(again.scopes)).toEqual([2, 0, 0, 0])
  })

  test('a device is judged by its own normal, not by the fleet', () => {
    const { matrix, groups } = fleet(3000, 10, 5)
    const baseline = fitRobustBaseline(matrix, groups)
    const atFive = featureMatrixOfRows(
      [
        [5, 5, 5, 5],
        [5, 5, 5, 5],
      ],
      numberedColumns(4),
    )
    const { scores } = scoreRobustBaseline(baseline, atFive, { deviceOfRow: Uint32Array.of(5, 0) })
    expect(scores[0]).toBeLessThan(0.5)
    expect(scores[1]).toBeGreaterThan(4)
  })

  test('missing cells leave the mean; a column without history is judged by the fleet', () => {
    const nan = Number.NaN
    const rows = [
      [0, nan],
      [1, nan],
      [2, nan],
      [0, 10],
      [1, 11],
      [2, 12],
    ]
    const matrix = featureMatrixOfRows(rows, ['a', 'b'])
    const groups = { deviceOfRow: Uint32Array.of(0, 0, 0, 1, 1, 1), deviceCount: 2 }
    const baseline = fitRobustBaseline(matrix, groups, { minDeviceRows: 3 })
    const probe = featureMatrixOfRows(
      [
        [1, 11 + 1.4826],
        [nan, 11],
        [nan, nan],
      ],
      ['a', 'b'],
    )
    const { scores } = scoreRobustBaseline(baseline, probe, { deviceOfRow: new Uint32Array(3) })
    expect(scores[0]).toBeCloseTo(0.5, 12)
    expect(scores[1]).toBe(0)
    expect(scores[2]).toBeNaN()
  })

  test('devices are counted once per cohort', () => {
    const counts = countDevices(
      Uint32Array.of(0, 0, 1, 2, UNKNOWN_GROUP),
      3,
      Uint32Array.of(0, 0, 0, 1, 1),
      2,
    )
    expect(Array.from(counts)).toEqual([2, 1])
  })

  test('group arrays of another length are refused', () => {
    const { matrix, groups } = fleet(50, 2, 6)
    const baseline = fitRobustBaseline(matrix, groups)
    const score = () => scoreRobustBaseline(baseline, matrix, { deviceOfRow: new Uint32Array(3) })
    expect(score).toThrow('deviceOfRow.length is 3')
  })
})
