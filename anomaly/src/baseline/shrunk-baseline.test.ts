import { describe, expect, test } from 'vitest'
import { featureMatrix, featureMatrixOfRows } from '../feature-matrix.ts'
import { createRandom, nextNormal } from '../statistics/random.ts'
import { UNKNOWN_GROUP } from './group-statistics.ts'
import { fitRobustBaseline } from './robust-baseline.ts'
import { scoreRobustBaseline } from './robust-baseline-score.ts'
import { fitShrunkBaseline, shrinkBaseline } from './shrunk-baseline.ts'

type Fleet = {
  readonly cohortCount: number
  readonly devicesPerCohort: number
  readonly rowsOfDevice: (device: number) => number
  readonly betweenCohorts: number
  readonly betweenDevices: number
  readonly seed: number
}

/** Rows of one column: cohort level + device level + noise of standard deviation 1. */
function hierarchy(fleet: Fleet) {
  const random = createRandom(fleet.seed)
  const deviceCount = fleet.cohortCount * fleet.devicesPerCohort
  const cohortLevels = Array.from(
    { length: fleet.cohortCount },
    () => fleet.betweenCohorts * nextNormal(random),
  )
  const rows: { readonly device: number; readonly value: number }[] = []
  const levels: number[] = []
  for (let device = 0; device < deviceCount; device++) {
    const cohort = Math.floor(device / fleet.devicesPerCohort)
    const level = cohortLevels[cohort]! + fleet.betweenDevices * nextNormal(random)
    levels.push(level)
    for (let i = 0; i < fleet.rowsOfDevice(device); i++) {
      rows.push({ device, value: level + nextNormal(random) })
    }
  }
  const deviceOfRow = Uint32Array.from(rows, ({ device }) => device)
  return {
    levels,
    cohortLevels,
    matrix: featureMatrixOfRows(
      rows.map(({ value }) => [value]),
      ['level'],
    ),
    groups: {
      deviceOfRow,
      deviceCount,
      cohortOfRow: deviceOfRow.map((device) => Math.floor(device / fleet.devicesPerCohort)),
      cohortCount: fleet.cohortCount,
    },
  }
}

const meanSquare = (found: ArrayLike<number>, truth: readonly number[]) =>
  truth.reduce((sum, value, i) => sum + (found[i]! - value) ** 2, 0) / truth.length

describe('shrunk baseline', () => {
  const few = hierarchy({
    cohortCount: 8,
    devicesPerCohort: 40,
    rowsOfDevice: () => 4,
    betweenCohorts: 3,
    betweenDevices: 0.6,
    seed: 1,
  })
  const shrunk = fitShrunkBaseline(few.matrix, few.groups)

  test('centres are nearer to the truth than the device’s own and the cohort’s', () => {
    const own = fitRobustBaseline(few.matrix, few.groups)
    const ofCohort = few.levels.map((_, device) => own.cohorts.centres[Math.floor(device / 40)]!)
    const error = meanSquare(shrunk.baseline.devices.centres, few.levels)
    expect(error).toBeLessThan(0.8 * meanSquare(own.devices.centres, few.levels))
    expect(error).toBeLessThan(0.8 * meanSquare(ofCohort, few.levels))
  })

  test('it finds how far devices and cohorts lie apart', () => {
    expect(shrunk.betweenDevices[0]).toBeGreaterThan(0.45)
    expect(shrunk.betweenDevices[0]).toBeLessThan(0.75)
    expect(shrunk.betweenCohorts[0]).toBeGreaterThan(1.5)
    expect(shrunk.betweenCohorts[0]).toBeLessThan(6)
  })

  test('weights follow τ² / (τ² + v), with v from the shrunk scale', () => {
    const own = fitRobustBaseline(few.matrix, few.groups)
    const scales = Array.from(own.devices.scales.subarray(0, 40)).sort((a, b) => a - b)
    const typical = (scales[19]! + scales[20]!) / 2
    const square = (10 * typical ** 2 + 4 * own.devices.scales[7]! ** 2) / 14
    const error = ((Math.PI / 2) * square) / 4
    const apart = shrunk.betweenDevices[0]! ** 2
    const weight = apart / (apart + error)
    expect(shrunk.deviceWeights[7]).toBeCloseTo(weight, 12)
    const parent = shrunk.baseline.cohorts.centres[0]!
    const centre = weight * own.devices.centres[7]! + (1 - weight) * parent
    expect(shrunk.baseline.devices.centres[7]).toBeCloseTo(centre, 12)
    const scale = Math.sqrt(square + weight * error)
    expect(shrunk.baseline.devices.scales[7]).toBeCloseTo(scale, 12)
  })

  test('a long history keeps its own centre, a device without rows gets its cohort’s', () => {
    const mixed = hierarchy({
      cohortCount: 2,
      devicesPerCohort: 20,
      rowsOfDevice: (device) => (device === 0 ? 3000 : device === 1 ? 0 : 10),
      betweenCohorts: 4,
      betweenDevices: 1,
      seed: 3,
    })
    const baseline = fitRobustBaseline(mixed.matrix, mixed.groups)
    const cohortOfDevice = Uint32Array.from({ length: 40 }, (_, device) => Math.floor(device / 20))
    const found = shrinkBaseline(baseline, cohortOfDevice)
    expect(found.deviceWeights[0]).toBeGreaterThan(0.99)
    expect(found.deviceWeights[2]).toBeLessThan(0.95)
    expect(found.deviceWeights[1]).toBe(0)
    const { devices, cohorts } = found.baseline
    expect(devices.centres[1]).toBe(cohorts.centres[0])
    expect(devices.scales[1]).toBe(cohorts.scales[0])
    expect(found.baseline.isDeviceReady[1]).toBe(0)
  })

  test('new devices of a cohort are flagged no more often than known ones should be', () => {
    const fleetOf = (seed: number, rows: number) =>
      hierarchy({
        cohortCount: 1,
        devicesPerCohort: 60,
        rowsOfDevice: () => rows,
        betweenCohorts: 0,
        betweenDevices: 2,
        seed,
      })
    const { matrix, groups } = fleetOf(5, 20)
    const { baseline } = fitShrunkBaseline(matrix, groups)
    const fresh = fleetOf(6, 50)
    const strangers = {
      deviceOfRow: new Uint32Array(fresh.matrix.rowCount).fill(UNKNOWN_GROUP),
      cohortOfRow: new Uint32Array(fresh.matrix.rowCount),
    }
    const { scores, scopes } = scoreRobustBaseline(baseline, fresh.matrix, strangers)
    expect(scopes.every((scope) => scope === 1)).toBe(true)
    expect(scores.filter((score) => score > 3).length / scores.length).toBeLessThan(0.02)
    // Under its plain scale, devices apart by two standard deviations would flood the list.
    const known = scoreRobustBaseline(baseline, matrix, groups)
    expect(known.scores.filter((score) => score > 3).length / matrix.rowCount).toBeLessThan(0.02)
  })

  test('devices that do not differ are pooled, a minority that does keeps its level', () => {
    const same = hierarchy({
      cohortCount: 1,
      devicesPerCohort: 50,
      rowsOfDevice: () => 20,
      betweenCohorts: 0,
      betweenDevices: 0,
      seed: 7,
    })
    expect(fitShrunkBaseline(same.matrix, same.groups).betweenDevices[0]).toBeLessThan(0.25)
    const moved = featureMatrix(
      same.matrix.values.map((value, row) => value + (same.groups.deviceOfRow[row]! < 15 ? 9 : 0)),
      ['level'],
    )
    const found = fitShrunkBaseline(moved, same.groups)
    expect(found.deviceWeights[0]).toBeGreaterThan(0.9)
    expect(found.baseline.devices.centres[0]).toBeGreaterThan(8)
    expect(found.baseline.devices.centres[30]).toBeLessThan(1)
  })

  test('rows that repeat each other shrink more', () => {
    const { matrix, groups } = few
    const repeated = fitShrunkBaseline(matrix, groups, { rowsPerIndependentRow: 4 })
    expect(repeated.deviceWeights[5]!).toBeLessThan(shrunk.deviceWeights[5]!)
  })

  test('one device, one row, no cohorts and missing columns are survived', () => {
    const matrix = featureMatrixOfRows([[5, Number.NaN]], ['a', 'b'])
    const groups = { deviceOfRow: new Uint32Array(1), deviceCount: 1 }
    const { baseline, deviceWeights } = fitShrunkBaseline(matrix, groups)
    expect(baseline.devices.centres[0]).toBe(5)
    expect(baseline.devices.centres[1]).toBeNaN()
    expect([...deviceWeights]).toEqual([0, 0])
    expect(scoreRobustBaseline(baseline, matrix, groups).scores[0]).toBe(0)
  })

  test('unusual options and cohorts of another number of devices are refused', () => {
    const { baseline } = shrunk
    const cohorts = new Uint32Array(baseline.devices.groupCount)
    const shrink = (options: object) => () => shrinkBaseline(baseline, cohorts, options)
    expect(shrink({ rowsPerIndependentRow: 0.5 })).toThrow('rowsPerIndependentRow')
    expect(shrink({ scalePriorRows: 0 })).toThrow('scalePriorRows')
    expect(() => shrinkBaseline(baseline, new Uint32Array(3))).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    )
  })
})
