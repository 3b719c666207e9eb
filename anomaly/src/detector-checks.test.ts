import { afterAll, describe, expect, test } from 'vitest'
import { normalMatrix } from '../testing/generated-tables.ts'
import { rowsOf } from '../testing/naive-twins.ts'
import { fitRobustBaseline } from './baseline/robust-baseline.ts'
import { fitRobustZScore } from './baseline/robust-z-score.ts'
import { fitShrunkBaseline } from './baseline/shrunk-baseline.ts'
import { fitDbscan } from './clustering/dbscan.ts'
import { fitKMeans } from './clustering/k-means.ts'
import { fitEcod } from './density/ecod.ts'
import { fitHbos } from './density/hbos.ts'
import { type Detector, explainDetector, scoreDetector } from './detector.ts'
import {
  type FeatureMatrix,
  featureMatrix,
  featureMatrixOfRows,
  selectRows,
} from './feature-matrix.ts'
import { fitExtendedForest } from './forest/extended-forest.ts'
import { fitIsolationForest } from './forest/isolation-forest.ts'
import { encodeModel } from './model-file/model-file.ts'
import { fitLocalOutlierFactor } from './neighbours/local-outlier-factor.ts'
import { fitNearestNeighbours } from './neighbours/nearest-neighbours.ts'
import { fitAutoencoder } from './neural/autoencoder.ts'
import { fitLstmAutoencoder } from './neural/lstm-autoencoder.ts'
import { fitRegressionLof } from './series/regression-lof.ts'
import { fitRegressionResidual } from './series/regression-residual.ts'
import { fitPrincipalComponents } from './subspace/principal-components.ts'
import { createScoringPool } from './threads/scoring-pool.ts'

/** What the checks need to know of a detector; a new one is added here and nowhere else. */
type CheckedDetector = {
  readonly name: string
  readonly fit: (matrix: FeatureMatrix, seed: number) => Detector
  readonly missingValues: 'refused' | 'left out'
  readonly minRows: number
  /** The fit does not depend on the order of training rows. */
  readonly isOrderFree: boolean
}

const detectors: readonly CheckedDetector[] = [
  {
    name: 'autoencoder',
    fit: (matrix, seed) => fitAutoencoder(matrix, { maxEpochs: 30, seed }),
    missingValues: 'left out',
    minRows: 1,
    isOrderFree: false,
  },
  {
    // Windows of one step: then columns are channels, each with its own scale.
    name: 'LSTM autoencoder',
    fit: (matrix, seed) =>
      fitLstmAutoencoder(matrix, { stepCount: 1, hiddenSize: 3, maxEpochs: 30, seed }),
    missingValues: 'left out',
    minRows: 1,
    isOrderFree: false,
  },
  {
    name: 'isolation forest',
    fit: (matrix, seed) => fitIsolationForest(matrix, { treeCount: 30, seed }),
    missingValues: 'refused',
    minRows: 1,
    isOrderFree: false,
  },
  {
    name: 'nearest neighbours',
    fit: (matrix, seed) => fitNearestNeighbours(matrix, { maxReferenceRows: 200, seed }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: false,
  },
  {
    name: 'nearest neighbours, robust scaling, whole reference',
    fit: (matrix) => fitNearestNeighbours(matrix, { scaling: 'robust', distance: 'kth' }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: true,
  },
  {
    name: 'nearest neighbours, whitened',
    fit: (matrix) => fitNearestNeighbours(matrix, { whiten: true }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: false,
  },
  {
    name: 'local outlier factor',
    fit: (matrix, seed) => fitLocalOutlierFactor(matrix, { maxReferenceRows: 200, seed }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: false,
  },
  {
    name: 'dbscan',
    fit: (matrix, seed) => fitDbscan(matrix, { maxReferenceRows: 200, seed }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: false,
  },
  {
    name: 'k-means',
    fit: (matrix, seed) => fitKMeans(matrix, { maxClusterCount: 4, seed }),
    missingValues: 'refused',
    minRows: 1,
    isOrderFree: false,
  },
  {
    name: 'ecod',
    fit: (matrix, seed) => fitEcod(matrix, { seed }),
    missingValues: 'left out',
    minRows: 1,
    isOrderFree: true,
  },
  {
    name: 'hbos',
    fit: (matrix) => fitHbos(matrix),
    missingValues: 'left out',
    minRows: 1,
    isOrderFree: true,
  },
  {
    name: 'principal components',
    fit: (matrix) => fitPrincipalComponents(matrix, { explainedShare: 0.6 }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: true,
  },
  {
    name: 'extended isolation forest',
    fit: (matrix, seed) => fitExtendedForest(matrix, { treeCount: 30, seed }),
    missingValues: 'refused',
    minRows: 1,
    isOrderFree: false,
  },
  {
    name: 'robust z-score',
    fit: (matrix) => fitRobustZScore(matrix),
    missingValues: 'left out',
    minRows: 1,
    isOrderFree: true,
  },
  {
    name: 'robust baseline, shrunk',
    fit: (matrix) => fitShrunkBaseline(matrix, { ...groupsOf(matrix), deviceCount: 3 }).baseline,
    missingValues: 'left out',
    minRows: 1,
    isOrderFree: true,
  },
  {
    name: 'regression residual',
    fit: (matrix) => fitRegressionResidual(matrix, { target: 'c2' }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: true,
  },
  {
    name: 'local outlier factor on a regression residual',
    fit: (matrix, seed) => fitRegressionLof(matrix, { target: 'c2', maxReferenceRows: 200, seed }),
    missingValues: 'refused',
    minRows: 2,
    isOrderFree: false,
  },
  {
    name: 'robust baseline',
    fit: (matrix) => fitRobustBaseline(matrix, { ...groupsOf(matrix), deviceCount: 3 }),
    missingValues: 'left out',
    minRows: 1,
    isOrderFree: true,
  },
]

function groupsOf(matrix: FeatureMatrix) {
  return { deviceOfRow: Uint32Array.from({ length: matrix.rowCount }, (_, row) => row % 3) }
}

const score = (model: Detector, matrix: FeatureMatrix) =>
  scoreDetector(model, matrix, groupsOf(matrix))

const training = normalMatrix(300, 4, 1)
const probe = normalMatrix(90, 4, 2)

for (const detector of detectors) {
  describe(detector.name, () => {
    const model = detector.fit(training, 42)
    const pools = [createScoringPool(1), createScoringPool(3)]
    afterAll(() => Promise.all(pools.map((pool) => pool.close())))

    test('the same seed gives the same bytes and scores', () => {
      const again = detector.fit(training, 42)
      expect(encodeModel(again)).toEqual(encodeModel(model))
      expect(score(again, probe)).toEqual(score(model, probe))
    })

    test('threads change nothing', async () => {
      const expected = score(model, probe)
      for (const pool of pools) {
        expect(await pool.score(model, probe, groupsOf(probe))).toEqual(expected)
        const rows = [3, 80, 3, 7]
        const parts = await pool.explain(model, probe, rows, groupsOf(probe))
        expect(parts).toEqual(explainDetector(model, probe, rows, groupsOf(probe)))
      }
    })

    test('a row scores the same alone, in any order and beside any other', () => {
      const all = score(model, probe)
      // Multiples of three keep each row with its device.
      const rows = Array.from({ length: 30 }, (_, i) => 87 - 3 * i)
      for (const row of rows) expect(score(model, selectRows(probe, [row]))[0]).toBe(all[row])
    })

    test('a score rises with distance from the training rows', () => {
      const away = [0, 4, 8].map((distance) => [distance, distance, distance, distance])
      const scores = away.map(
        (row) => score(model, featureMatrixOfRows([row], training.columnNames))[0]!,
      )
      expect(scores[1]).toBeGreaterThan(scores[0]!)
      expect(scores[2]).toBeGreaterThanOrEqual(scores[1]!)
    })

    if (detector.isOrderFree)
      test('the order of training rows changes nothing', () => {
        // Rotating by a multiple of three keeps each row with its device.
        const rotated = selectRows(
          training,
          Array.from({ length: 300 }, (_, i) => (i + 99) % 300),
        )
        const expected = score(model, probe)
        const found = score(detector.fit(rotated, 42), probe)
        for (const [row, value] of found.entries()) expect(value).toBeCloseTo(expected[row]!, 12)
      })

    test('units of the columns change nothing', () => {
      const rescale = (matrix: FeatureMatrix) =>
        featureMatrix(
          matrix.values.map((value, i) => value * (1 + (i % 4)) + 5 * (i % 4)),
          matrix.columnNames,
        )
      const expected = score(model, probe)
      const found = score(detector.fit(rescale(training), 42), rescale(probe))
      for (const [row, value] of found.entries()) expect(value).toBeCloseTo(expected[row]!, 6)
    })

    test('constant columns are survived, and alone give one score to all', () => {
      const half = featureMatrix(
        training.values.map((value, i) => (i % 4 < 2 ? 7 : value)),
        training.columnNames,
      )
      expect(score(detector.fit(half, 1), half).every(Number.isFinite)).toBe(true)
      const constant = featureMatrix(new Float64Array(400).fill(0.1), training.columnNames)
      const scores = score(detector.fit(constant, 1), constant)
      expect(scores.every((value) => Number.isFinite(value) && value === scores[0])).toBe(true)
    })

    test('the fewest rows it takes are enough, fewer are refused', () => {
      const few = selectRows(
        training,
        Array.from({ length: detector.minRows }, (_, row) => row),
      )
      expect(score(detector.fit(few, 1), probe).every(Number.isFinite)).toBe(true)
      const fewer = selectRows(
        few,
        Array.from({ length: detector.minRows - 1 }, (_, row) => row),
      )
      expect(() => detector.fit(fewer, 1)).toThrow(
        expect.objectContaining({ code: 'TOO_FEW_ROWS' }),
      )
    })

    test(`missing values are ${detector.missingValues}`, () => {
      const values = training.values.slice()
      values[6] = Number.NaN
      const holed = featureMatrix(values, training.columnNames)
      if (detector.missingValues === 'refused') {
        const refusal = expect.objectContaining({ code: 'NOT_FINITE' })
        expect(() => detector.fit(holed, 1)).toThrow(refusal)
        expect(() => score(model, holed)).toThrow(refusal)
        expect(() => explainDetector(model, holed, [1], groupsOf(holed))).toThrow(refusal)
      } else {
        expect(score(detector.fit(holed, 1), holed).every(Number.isFinite)).toBe(true)
      }
    })

    test('infinite values are refused in the fit', () => {
      const values = training.values.slice()
      values[6] = Number.NEGATIVE_INFINITY
      const wild = featureMatrix(values, training.columnNames)
      expect(() => detector.fit(wild, 1)).toThrow(expect.objectContaining({ code: 'NOT_FINITE' }))
    })

    test('shuffled columns and a wrong output length are refused', () => {
      const shuffled = { ...probe, columnNames: [...probe.columnNames].reverse() }
      expect(() => score(model, shuffled)).toThrow(
        expect.objectContaining({ code: 'COLUMN_MISMATCH' }),
      )
      const write = () => scoreDetector(model, probe, groupsOf(probe), new Float64Array(3))
      expect(write).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }))
    })

    test('no rows score to nothing; scores land in the given array', () => {
      expect(score(model, selectRows(probe, []))).toHaveLength(0)
      const out = new Float64Array(90)
      expect(scoreDetector(model, probe, groupsOf(probe), out)).toBe(out)
      expect(out).toEqual(score(model, probe))
    })

    test('an explanation has one finite number per row and column, led by the odd column', () => {
      const odd = rowsOf(probe).slice(0, 3)
      odd[1] = [0, 0, 9, 0]
      const matrix = featureMatrixOfRows(odd, probe.columnNames)
      const parts = explainDetector(model, matrix, [1, 2], groupsOf(matrix))
      expect(parts).toHaveLength(8)
      expect(parts.every(Number.isFinite)).toBe(true)
      const first = Array.from(parts.subarray(0, 4))
      expect(first.indexOf(Math.max(...first))).toBe(2)
    })
  })
}
