import { fitRobustBaseline } from '../src/baseline/robust-baseline.ts'
import { fitRobustZScore } from '../src/baseline/robust-z-score.ts'
import { fitBoostedTrees } from '../src/boosting/boosted-fit.ts'
import { fitDbscan } from '../src/clustering/dbscan.ts'
import { fitKMeans } from '../src/clustering/k-means.ts'
import { fitEcod } from '../src/density/ecod.ts'
import { fitHbos } from '../src/density/hbos.ts'
import { type Detector, type DetectorKindName, parseDetector } from '../src/detector.ts'
import { driftReference } from '../src/drift/drift-reference.ts'
import { parseDriftReference } from '../src/drift/drift-state.ts'
import { fitExtendedForest } from '../src/forest/extended-forest.ts'
import { fitIsolationForest } from '../src/forest/isolation-forest.ts'
import { fitIsotonicRegression } from '../src/linear/isotonic-regression.ts'
import { fitLogisticRegression } from '../src/linear/logistic-regression.ts'
import { fitPlattScaling } from '../src/linear/platt-scaling.ts'
import { parseProbabilityCalibration } from '../src/linear/probability-calibration.ts'
import { fitRidgeRegression, parseRidgeRegression } from '../src/linear/ridge-regression.ts'
import type { ModelState } from '../src/model-file/model-file.ts'
import { fitLocalOutlierFactor } from '../src/neighbours/local-outlier-factor.ts'
import { fitNearestNeighbours } from '../src/neighbours/nearest-neighbours.ts'
import { fitAutoencoder } from '../src/neural/autoencoder.ts'
import { fitLstmAutoencoder } from '../src/neural/lstm-autoencoder.ts'
import { nextParameters, startSearch, withTrial } from '../src/search/hyper-search.ts'
import { parseSearch } from '../src/search/search-state.ts'
import { fitRegressionLof } from '../src/series/regression-lof.ts'
import { fitRegressionResidual } from '../src/series/regression-residual.ts'
import { emptyCategoryCounts, updateCategoryCounts } from '../src/sketches/category-counts.ts'
import { emptyQuantileSketch, updateQuantileSketch } from '../src/sketches/quantile-sketch.ts'
import {
  parseCategoryCounts,
  parseQuantileSketch,
  parseValueHistogram,
} from '../src/sketches/sketch-state.ts'
import { emptyValueHistogram, updateValueHistogram } from '../src/sketches/value-histogram.ts'
import { fitPrincipalComponents } from '../src/subspace/principal-components.ts'
import { alarmBudgetThreshold } from '../src/thresholds/alarm-budget-threshold.ts'
import { fitCalibration } from '../src/thresholds/calibration.ts'
import { parseCalibration } from '../src/thresholds/calibration-state.ts'
import { conformalThreshold } from '../src/thresholds/conformal-threshold.ts'
import { extremeValueThreshold } from '../src/thresholds/extreme-value-threshold.ts'
import { falseDiscoveryThreshold } from '../src/thresholds/false-discovery-threshold.ts'
import { precisionThreshold } from '../src/thresholds/precision-threshold.ts'
import { quantileThreshold } from '../src/thresholds/quantile-threshold.ts'
import type { Threshold } from '../src/thresholds/threshold.ts'
import { parseThreshold } from '../src/thresholds/threshold-state.ts'
import { topCountThreshold } from '../src/thresholds/top-count-threshold.ts'
import { normalMatrix } from './generated-tables.ts'
import { keptSeriesModels } from './kept-series-models.ts'

/** A model whose files of every release are kept in `kept-model-files` and must load for ever. */
export type KeptModel = {
  /** Start of the names of its files. */
  readonly name: string
  readonly fit: () => ModelState
  readonly parse: (state: ModelState) => ModelState
}

const matrix = normalMatrix(60, 3, 2026)
const labels = Uint8Array.from({ length: 60 }, (_, row) => (matrix.values[3 * row]! > 0.5 ? 1 : 0))
const groups = {
  deviceOfRow: Uint32Array.from({ length: 60 }, (_, row) => row % 3),
  deviceCount: 3,
}

/** Every kind of detector, small. A new kind does not compile until it stands here. */
const detectors: Readonly<Record<DetectorKindName, () => Detector>> = {
  autoencoder: () => fitAutoencoder(matrix, { maxEpochs: 3 }),
  boosted_trees: () =>
    fitBoostedTrees(matrix, { kind: 'binary', labels }, { roundCount: 2, maxLeaves: 4 }),
  dbscan: () => fitDbscan(matrix),
  ecod: () => fitEcod(matrix),
  extended_isolation_forest: () => fitExtendedForest(matrix, { treeCount: 2, sampleSize: 16 }),
  hbos: () => fitHbos(matrix),
  isolation_forest: () => fitIsolationForest(matrix, { treeCount: 2, sampleSize: 16 }),
  k_means: () => fitKMeans(matrix, { maxClusterCount: 3 }),
  local_outlier_factor: () => fitLocalOutlierFactor(matrix, { neighbourCount: 4 }),
  logistic_regression: () => fitLogisticRegression(matrix, { kind: 'binary', labels }),
  lstm_autoencoder: () =>
    fitLstmAutoencoder(matrix, { stepCount: 3, hiddenSize: 3, latentSize: 2, maxEpochs: 2 }),
  nearest_neighbours: () => fitNearestNeighbours(matrix, { neighbourCount: 3 }),
  principal_components: () => fitPrincipalComponents(matrix),
  regression_lof: () => fitRegressionLof(matrix, { target: matrix.columnNames[0]! }),
  regression_residual: () => fitRegressionResidual(matrix, { target: matrix.columnNames[0]! }),
  robust_baseline: () => fitRobustBaseline(matrix, groups),
  robust_z_score: () => fitRobustZScore(matrix),
}

/** One threshold of every kind. */
const thresholds: readonly Threshold[] = [
  quantileThreshold(matrix.values),
  extremeValueThreshold(matrix.values, { level: 0.01, tailQuantile: 0.9 }),
  conformalThreshold(matrix.values),
  falseDiscoveryThreshold(matrix.values),
  precisionThreshold(labels, matrix.values.subarray(0, 60)),
  alarmBudgetThreshold(matrix.values, { weeks: 2 }),
  topCountThreshold(5),
]

/** A search after its first trials. */
function keptSearch(): ModelState {
  const space = {
    rate: { kind: 'float', minimum: 0.01, maximum: 1, scale: 'log' },
    leaves: { kind: 'integer', minimum: 2, maximum: 64 },
    loss: { kind: 'choice', values: ['squared', 'absolute'] },
  } as const
  let search = startSearch(space)
  for (let trial = 0; trial < 3; trial++) {
    const outcome = { kind: 'measured', loss: 1 / (trial + 1) } as const
    search = withTrial(search, nextParameters(search), outcome)
  }
  return search
}

/** Plain data other than detectors that users store: a new one gets a line here. */
const others: readonly KeptModel[] = [
  { name: 'calibration', fit: () => fitCalibration(matrix.values), parse: parseCalibration },
  { name: 'drift-reference', fit: () => driftReference(matrix), parse: parseDriftReference },
  {
    name: 'quantile-sketch',
    fit: () => updateQuantileSketch(emptyQuantileSketch(8), matrix.values),
    parse: parseQuantileSketch,
  },
  {
    name: 'value-histogram',
    fit: () => updateValueHistogram(emptyValueHistogram([-1, 0, 1]), matrix.values),
    parse: parseValueHistogram,
  },
  {
    name: 'category-counts',
    fit: () => updateCategoryCounts(emptyCategoryCounts(), ['ice', 'fan', null, 'ice']),
    parse: parseCategoryCounts,
  },
  {
    name: 'ridge-regression',
    fit: () => fitRidgeRegression(matrix, matrix.values.subarray(0, 60)),
    parse: parseRidgeRegression,
  },
  {
    name: 'isotonic-regression',
    fit: () => fitIsotonicRegression(matrix.values.subarray(0, 60), labels),
    parse: parseProbabilityCalibration,
  },
  {
    name: 'platt-scaling',
    fit: () => fitPlattScaling(matrix.values.subarray(0, 60), labels),
    parse: parseProbabilityCalibration,
  },
  { name: 'hyper-search', fit: keptSearch, parse: parseSearch },
  ...keptSeriesModels(),
  ...thresholds.map((threshold) => ({
    name: threshold.kind.replaceAll('_', '-'),
    fit: () => threshold,
    parse: parseThreshold,
  })),
]

/** All models that are kept. */
export function keptModels(): readonly KeptModel[] {
  const kept = Object.entries(detectors).map(([kind, fit]) => ({
    name: kind.replaceAll('_', '-'),
    fit,
    parse: parseDetector,
  }))
  return [...kept, ...others]
}

/** Rows to score kept detectors with. */
export const keptProbe = { matrix: normalMatrix(20, 3, 7), groups }
