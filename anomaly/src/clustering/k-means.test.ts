import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { healthyRows, labelledTables, normalMatrix } from '../../testing/generated-tables.ts'
import { rowsOf } from '../../testing/naive-twins.ts'
import { featureMatrix, featureMatrixOfRows, selectRows } from '../feature-matrix.ts'
import { createRandom } from '../statistics/random.ts'
import { chooseClusterCount, fitKMeans } from './k-means.ts'
import { assignKMeansClusters, explainKMeans, scoreKMeans } from './k-means-score.ts'
import { seedCentres } from './k-means-seeding.ts'
import { runLloyd } from './lloyd.ts'

const square = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, d) => sum + (value - b[d]!) ** 2, 0)

/** Lloyd's algorithm without bounds. */
function naiveLloyd(rows: number[][], start: number[][], rounds: number) {
  let centres = start
  let labels: number[] = []
  const assign = () => {
    labels = rows.map((row) => {
      const squares = centres.map((centre) => square(row, centre))
      return squares.indexOf(Math.min(...squares))
    })
  }
  for (let round = 0; round < rounds; round++) {
    assign()
    centres = centres.map((centre, cluster) => {
      const own = rows.filter((_, row) => labels[row] === cluster)
      const mean = (d: number) => own.reduce((sum, row) => sum + row[d]!, 0) / own.length
      return own.length === 0 ? centre : centre.map((_, d) => mean(d))
    })
  }
  assign()
  return labels
}

describe('Lloyd’s iterations', () => {
  test('bounds change no label', () => {
    const shape = {
      rowCount: fc.integer({ min: 8, max: 200 }),
      columnCount: fc.integer({ min: 1, max: 6 }),
      clusterCount: fc.integer({ min: 1, max: 7 }),
      rounds: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(1000),
    }
    fc.assert(
      fc.property(fc.record(shape), ({ rowCount, columnCount, clusterCount, rounds, seed }) => {
        const { values, columnNames } = normalMatrix(rowCount, columnCount, seed)
        const start = seedCentres(values, columnCount, clusterCount, createRandom(seed))
        const limits = { maxIterations: rounds, squaredShift: -1 }
        const found = runLloyd(values, columnCount, start, limits)
        const rows = rowsOf(featureMatrix(values, columnNames))
        const centres = Array.from({ length: clusterCount }, (_, c) =>
          Array.from(start.subarray(c * columnCount, (c + 1) * columnCount)),
        )
        // Centres of k-means++ are rows: no cluster starts empty.
        expect(Array.from(found.labels)).toEqual(naiveLloyd(rows, centres, rounds))
      }),
      { numRuns: 150 },
    )
  })

  test('equals scikit-learn 1.9.1 from the same starting centres', () => {
    // KMeans(k, init=rows 0, 37, 74, …, n_init=1, tol=tolerance): inertia, iterations,
    // Σ label · (row % 97).
    const sklearn = [
      [3, 1e-4, 13622.47495928205, 3, 49123],
      [7, 1e-4, 12371.2283583927, 19, 124597],
      [3, 1e-4, 15427.47865447294, 18, 71838],
      [7, 1e-4, 11079.847805028603, 40, 214560],
      [3, 1e-4, 400247.9108333638, 24, 52514],
      [7, 0, 324528.41489729163, 35, 204752],
    ] as const
    for (const [index, [count, tolerance, inertia, iterations, weighted]] of sklearn.entries()) {
      const matrix = labelledTables()[index >> 1]!.matrix
      const rows = Array.from({ length: count }, (_, i) => i * 37)
      const initialCentres = selectRows(matrix, rows).values
      const model = fitKMeans(matrix, { initialCentres, tolerance, scaling: 'none' })
      expect(Math.abs(model.inertia / inertia - 1)).toBeLessThan(1e-9)
      expect(model.iterationCount).toBe(iterations)
      const labels = assignKMeansClusters(model, matrix)
      expect(labels.reduce((sum, label, row) => sum + label * (row % 97), 0)).toBe(weighted)
    }
  })

  test('empty clusters restart at the farthest rows, as in scikit-learn 1.9.1', () => {
    // Three equal starting centres: KMeans(4, init=rows 0, 0, 0, 5, n_init=1, tol=0).
    const matrix = labelledTables()[0]!.matrix
    const initialCentres = selectRows(matrix, [0, 0, 0, 5]).values
    const model = fitKMeans(matrix, { initialCentres, tolerance: 0, scaling: 'none' })
    expect(Math.abs(model.inertia / 12958.429068390698 - 1)).toBeLessThan(1e-9)
    expect(model.iterationCount).toBe(7)
    expect(model.clusterSizes.every((size) => size > 0)).toBe(true)
  })
})

describe('k-means', () => {
  test('the score is the distance to the nearest centre, and the parts sum to it', () => {
    const matrix = normalMatrix(300, 5, 2)
    const model = fitKMeans(matrix, { clusterCount: 4, scaling: 'none' })
    const centres = Array.from({ length: 4 }, (_, c) =>
      Array.from(model.centres.subarray(c * 5, c * 5 + 5)),
    )
    const scores = scoreKMeans(model, matrix)
    const labels = assignKMeansClusters(model, matrix)
    const parts = explainKMeans(model, matrix, [...scores.keys()])
    for (const [row, cells] of rowsOf(matrix).entries()) {
      const squares = centres.map((centre) => square(cells, centre))
      expect(scores[row]).toBeCloseTo(Math.sqrt(Math.min(...squares)), 12)
      expect(labels[row]).toBe(squares.indexOf(Math.min(...squares)))
      const sum = parts.subarray(row * 5, row * 5 + 5).reduce((total, part) => total + part, 0)
      expect(sum).toBeCloseTo(scores[row]!, 12)
    }
    const inertia = scores.reduce((sum, score) => sum + score * score, 0)
    expect(model.inertia).toBeCloseTo(inertia, 8)
  })

  test('more starts never raise the inertia', () => {
    const matrix = normalMatrix(400, 4, 3)
    const inertiaOf = (startCount: number) =>
      fitKMeans(matrix, { clusterCount: 8, startCount }).inertia
    expect(inertiaOf(6)).toBeLessThanOrEqual(inertiaOf(1))
  })

  test('fewer distinct rows than clusters give as many clusters as rows', () => {
    const matrix = featureMatrixOfRows([[1], [1], [5], [5], [9]], ['x'])
    const model = fitKMeans(matrix, { clusterCount: 4 })
    expect(model.clusterCount).toBe(3)
    expect(model.inertia).toBe(0)
  })

  test('unusual options are refused', () => {
    const matrix = normalMatrix(20, 2, 4)
    const fit = (options: object) => () => fitKMeans(matrix, options)
    expect(fit({ clusterCount: 0 })).toThrow('clusterCount')
    expect(fit({ startCount: 0, clusterCount: 2 })).toThrow('startCount')
    expect(fit({ maxIterations: 0, clusterCount: 2 })).toThrow('maxIterations')
    expect(fit({ tolerance: -1, clusterCount: 2 })).toThrow('tolerance')
    expect(fit({ maxClusterCount: 1 })).toThrow('maxClusterCount')
    const wrongWidth = { initialCentres: new Float64Array(3) }
    expect(fit(wrongWidth)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }))
  })
})

describe('choice of the number of clusters', () => {
  test('both methods find three clouds, and the silhouette is the default', () => {
    const table = healthyRows(labelledTables()[0]!)
    const matrix = selectRows(
      table,
      Array.from({ length: 240 }, (_, row) => row),
    )
    const options = { maxClusterCount: 5, gapReferenceCount: 4, startCount: 2 }
    expect(chooseClusterCount(matrix, 'silhouette', options).clusterCount).toBe(3)
    expect(chooseClusterCount(matrix, 'gap', options).clusterCount).toBe(3)
    expect(fitKMeans(matrix, options).clusterCount).toBe(3)
  })

  test('the gap statistic leaves one cloud whole', () => {
    const matrix = normalMatrix(300, 3, 1)
    const options = { maxClusterCount: 4, gapReferenceCount: 5, startCount: 2 }
    const choice = chooseClusterCount(matrix, 'gap', options)
    expect(choice.clusterCount).toBe(1)
    expect(choice.candidates.map((candidate) => candidate.clusterCount)).toEqual([1, 2, 3, 4])
  })

  test('equal rows are one cluster', () => {
    const matrix = featureMatrix(new Float64Array(30).fill(2), ['a', 'b', 'c'])
    expect(chooseClusterCount(matrix).clusterCount).toBe(1)
    expect(chooseClusterCount(matrix, 'gap').clusterCount).toBe(1)
  })
})
