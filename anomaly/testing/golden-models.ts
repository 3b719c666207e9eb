import { fitRobustBaseline } from '../src/baseline/robust-baseline.ts'
import type { Detector } from '../src/detector.ts'
import { selectRows } from '../src/feature-matrix.ts'
import { fitIsolationForest } from '../src/forest/isolation-forest.ts'
import { fitNearestNeighbours } from '../src/neighbours/nearest-neighbours.ts'
import { type Calibration, fitCalibration } from '../src/thresholds/calibration.ts'
import { normalMatrix } from './generated-tables.ts'

/** One small model of every kind: what `model-file-v1.base64.txt` holds. */
export type GoldenModels = {
  readonly forest: Detector
  readonly baseline: Detector
  readonly neighbours: Detector
  readonly calibration: Calibration
}

/** Fits the golden models anew. */
export function goldenModels(): GoldenModels {
  const matrix = normalMatrix(80, 3, 2026)
  const deviceOfRow = Uint32Array.from({ length: 80 }, (_, row) => row % 4)
  const groups = { deviceOfRow, deviceCount: 4, cohortOfRow: new Uint32Array(80), cohortCount: 1 }
  const options = { floors: { c0: 0.1 }, minDeviceRows: 20, minCohortDevices: 3 }
  const fewRows = selectRows(
    matrix,
    Array.from({ length: 20 }, (_, row) => row),
  )
  return {
    forest: fitIsolationForest(matrix, { treeCount: 4, sampleSize: 16 }),
    baseline: fitRobustBaseline(matrix, groups, options),
    neighbours: fitNearestNeighbours(fewRows, { neighbourCount: 3, scaling: 'robust' }),
    calibration: fitCalibration(matrix.values),
  }
}
