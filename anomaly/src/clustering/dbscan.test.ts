import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows, selectRows } from '../feature-matrix.ts'
import { clusterByDensity, fitDbscan } from './dbscan.ts'
import {
  assignDbscanClusters,
  explainDbscan,
  scoreDbscan,
  scoreDbscanTraining,
} from './dbscan-score.ts'
import { chooseDbscanRadius } from './radius-choice.ts'

const square = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, d) => sum + (value - b[d]!) ** 2, 0)

/** DBSCAN as Ester et al. wrote it: rows in order, each new core row grows its cluster. */
function naiveDbscan(rows: number[][], radius: number, minSamples: number): number[] {
  const near = rows.map((row) =>
    [...rows.keys()].filter((other) => square(row, rows[other] ?? []) <= radius * radius),
  )
  const labels: number[] = rows.map(() => -1)
  let cluster = 0
  for (const [row, neighbours] of near.entries()) {
    if (labels[row] !== -1 || neighbours.length < minSamples) continue
    const open = [row]
    labels[row] = cluster
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (near[at]!.length < minSamples) continue
      for (const other of near[at]!) {
        if (labels[other] !== -1) continue
        labels[other] = cluster
        open.push(other)
      }
    }
    cluster++
  }
  return labels
}

/** Two dense clusters of 60 rows around (0, 0) and (10, 10), and one row far away. */
function twoClusters() {
  const rows = rowsOf(normalMatrix(120, 2, 4)).map((row, i) =>
    row.map((value) => value * 0.5 + (i % 2) * 10),
  )
  return featureMatrixOfRows([...rows, [5, -20]], ['x', 'y'])
}

describe('dbscan', () => {
  test('gives the labels of the textbook algorithm, ties and duplicates included', () => {
    const shape = {
      rowCount: fc.integer({ min: 2, max: 200 }),
      columnCount: fc.integer({ min: 1, max: 10 }),
      minSamples: fc.integer({ min: 2, max: 8 }),
      spread: fc.double({ min: 0.3, max: 2, noNaN: true }),
      seed: fc.nat(1000),
      isCoarse: fc.boolean(),
    }
    fc.assert(
      fc.property(fc.record(shape), ({ rowCount, columnCount, minSamples, spread, ...rest }) => {
        const drawn = normalMatrix(rowCount, columnCount, rest.seed)
        const matrix = featureMatrix(
          rest.isCoarse ? drawn.values.map((v) => Math.round(v)) : drawn.values,
          drawn.columnNames,
        )
        const radius = rest.isCoarse ? 1 : spread * Math.sqrt(columnCount)
        const found = clusterByDensity(matrix, { radius, minSamples, scaling: 'none' })
        const expected = naiveDbscan(rowsOf(matrix), radius, minSamples)
        expect(Array.from(found.labels)).toEqual(expected)
        expect(found.clusterCount).toBe(Math.max(...expected) + 1)
      }),
      { numRuns: 200 },
    )
  })

  test('gives the labels of scikit-learn 1.9.1 on generated tables', () => {
    // DBSCAN(eps=radius, min_samples=8): clusters, noise rows, core rows and
    // Σ (row % 97) · (label + 2).
    const sklearn = [
      { radius: 3, expected: [3, 52, 918, 136720] },
      { radius: 1.5, expected: [1, 683, 393, 110326] },
      { radius: 7, expected: [1, 1050, 575, 140382] },
    ]
    for (const [index, { radius, expected }] of sklearn.entries()) {
      const matrix = labelledTables()[index]!.matrix
      const found = clusterByDensity(matrix, { radius, minSamples: 8, scaling: 'none' })
      const { labels, clusterCount, model } = found
      const noise = labels.filter((label) => label < 0).length
      const weighted = labels.reduce((sum, label, row) => sum + (row % 97) * (label + 2), 0)
      expect([clusterCount, noise, model?.coreRows.length, weighted]).toEqual(expected)
    }
  })

  test('new rows join the cluster of the nearest core row, or none', () => {
    const matrix = twoClusters()
    const { labels, model } = clusterByDensity(matrix, {
      radius: 1,
      minSamples: 5,
      scaling: 'none',
    })
    if (model === null) throw new Error('no core row')
    expect(labels[120]).toBe(-1)
    const probe = featureMatrixOfRows(
      [
        [0.1, 0.1],
        [10.1, 9.9],
        [5, 5],
      ],
      ['x', 'y'],
    )
    const assigned = assignDbscanClusters(model, probe)
    expect([...assigned]).toEqual([labels[0], labels[1], -1])
    // Core rows keep the cluster they were given.
    const again = assignDbscanClusters(model, matrix)
    for (const row of model.coreRows) expect(again[row]).toBe(labels[row])
    const scores = scoreDbscan(model, probe)
    for (const [row, label] of assigned.entries()) expect(scores[row]! <= 1).toBe(label >= 0)
  })

  test('the score is the distance to the nearest core row in radii', () => {
    const matrix = twoClusters()
    const model = fitDbscan(matrix, { radius: 0.8, minSamples: 4, scaling: 'none' })
    const cores = rowsOf(selectRows(matrix, model.coreRows))
    const rows = rowsOf(matrix)
    const scores = scoreDbscan(model, matrix)
    const training = scoreDbscanTraining(model, matrix)
    for (const [row, cells] of rows.entries()) {
      const distances = cores.map((core) => Math.sqrt(square(core, cells)) / 0.8)
      expect(scores[row]).toBeCloseTo(Math.min(...distances), 12)
      const others = distances.filter((distance) => distance > 0)
      expect(training[row]).toBeCloseTo(Math.min(...others), 12)
    }
    const parts = explainDbscan(model, matrix, [120])
    expect(parts[0]! + parts[1]!).toBeCloseTo(scores[120]!, 12)
    expect(parts[1]).toBeGreaterThan(parts[0]!)
  })

  test('by default 95 % of the rows are core', () => {
    const matrix = normalMatrix(1000, 3, 7)
    const model = fitDbscan(matrix)
    expect(model.coreRows.length).toBeGreaterThanOrEqual(950)
    expect(model.coreRows.length).toBeLessThan(970)
  })

  test('a radius in which no row is core clusters nothing, and makes no detector', () => {
    const matrix = normalMatrix(50, 3, 8)
    const options = { radius: 1e-3, minSamples: 5 }
    const { labels, clusterCount, model } = clusterByDensity(matrix, options)
    expect([clusterCount, model]).toEqual([0, null])
    expect(labels.every((label) => label === -1)).toBe(true)
    expect(() => fitDbscan(matrix, options)).toThrow('minSamples = 5 rows within it')
    expect(() => fitDbscan(matrix, { radius: 0 })).toThrow('radius')
    expect(() => fitDbscan(matrix, { minSamples: 1 })).toThrow('minSamples')
  })
})

describe('choice of the radius', () => {
  test('takes the silhouette-best radius that leaves little noise', () => {
    const matrix = twoClusters()
    const { radius, candidates } = chooseDbscanRadius(matrix, { minSamples: 6 })
    expect(candidates.length).toBeGreaterThan(1)
    const best = Math.max(...candidates.map((c) => c.silhouette).filter((s) => !Number.isNaN(s)))
    expect(candidates.find((candidate) => candidate.silhouette === best)?.radius).toBe(radius)
    const { clusterCount } = clusterByDensity(matrix, { radius: radius ?? 0, minSamples: 6 })
    expect(clusterCount).toBe(2)
  })

  test('one cloud has no clusters to publish', () => {
    expect(chooseDbscanRadius(normalMatrix(400, 3, 9)).radius).toBeNull()
  })
})
