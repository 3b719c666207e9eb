import {
  decodeModel,
  driftReference,
  driftReport,
  encodeModel,
  parseDriftReference,
} from '@isotherm/anomaly'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { featureColumns } from 'isotherm/contracts'
import { numberOption, seeded } from './clean-arrivals.ts'
import type { Promised } from './promise.ts'

const runCount = 5
/** Columns that are moved, and by how many of their standard deviations. */
const shifted: Readonly<Record<number, number>> = { 3: 0.5, 17: 0.4, 40: 1 }

/** Columns of many shapes: normal, skewed, bounded, few values; 3 % of the cells are missing. */
function madeMatrix(names: readonly string[], rowCount: number, seed: number, isMoved: boolean) {
  const random = seeded(seed)
  const values = new Float64Array(rowCount * names.length)
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < names.length; column++) {
      const normal = (random() + random() + random() + random() - 2) * Math.sqrt(3)
      const moved = isMoved ? normal + (shifted[column] ?? 0) : normal
      const shapes = [
        moved * 4 - 25,
        Math.exp(moved / 2),
        1 / (1 + Math.exp(-moved)),
        Math.round(moved * 3),
      ]
      const isMissing = random() < 0.03
      values[row * names.length + column] = isMissing ? Number.NaN : (shapes[column % 4] ?? 0)
    }
  }
  return { values, rowCount, columnNames: names }
}

/** sup |F - G| by walking both sorted samples: the definition. */
function naiveStatistic(a: readonly number[], b: readonly number[]): number {
  const points = [
    ...a.map((value) => [value, 0] as const),
    ...b.map((value) => [value, 1] as const),
  ]
  points.sort((x, y) => x[0] - y[0])
  let [seenA, seenB, largest] = [0, 0, 0]
  for (const [index, [value, side]] of points.entries()) {
    if (side === 0) seenA += 1
    else seenB += 1
    if (points[index + 1]?.[0] === value) continue
    largest = Math.max(largest, Math.abs(seenA / a.length - seenB / b.length))
  }
  return largest
}

/** The daily comparison of a fleet with the baseline kept at training, read from the bytes that are stored. */
export const promised: Promised = {
  id: 'E9',
  title: 'drift of 45 features against the stored baseline, 100,000 devices',
  unit: 's',
  bar: '<= 1 s of processor time, median of 5; injected shifts found, no other column named',
  quick: false,
  limitSeconds: 180,
  run: async (report) => {
    const names = featureColumns(refrigeration).map(({ name }) => name)
    const rowCount = numberOption('count', 100_000)
    const before = madeMatrix(names, rowCount, 1, false)
    const now = madeMatrix(names, rowCount, 2, true)
    const stored = encodeModel(driftReference(before))
    report(`${names.length} features of ${rowCount} devices, baseline of ${stored.length} bytes`)
    const seconds: number[] = []
    let found = driftReport(parseDriftReference(decodeModel(stored)), now)
    for (let run = 0; run < runCount; run++) {
      const begin = process.cpuUsage()
      found = driftReport(parseDriftReference(decodeModel(stored)), now)
      const { user, system } = process.cpuUsage(begin)
      seconds.push((user + system) / 1e6)
    }
    const median = seconds.toSorted((a, b) => a - b)[Math.floor(runCount / 2)] ?? Number.NaN
    const expected = Object.keys(shifted).map((column) => names[Number(column)] ?? '')
    const column = (matrix: typeof now, index: number) =>
      Array.from(
        { length: rowCount },
        (_, row) => matrix.values[row * names.length + index]!,
      ).filter((value) => !Number.isNaN(value))
    const wrong = [0, 3, 17, 23].filter((index) => {
      const exact = naiveStatistic(column(before, index), column(now, index))
      const own = found.columns[index]
      return own === undefined || Math.abs(own.statistic - exact) > own.statisticError + 1e-9
    })
    const isFound = found.driftedColumns.toSorted().join() === expected.toSorted().join()
    return {
      ok: median <= 1 && isFound && wrong.length === 0,
      value: median,
      detail: { seconds, drifted: found.driftedColumns, expected, wrongStatistics: wrong },
    }
  },
}
