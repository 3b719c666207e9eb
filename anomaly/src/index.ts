/**
 * Anomaly detection on flat typed arrays: detectors, calibration, statistics, drift, metrics and
 * model files. Plain functions and plain data; no I/O, no clock, no dependencies.
 * @module
 */
export {
  ANCHOR_SCORES,
  type Calibration,
  calibrate,
  calibrateScores,
  fitCalibration,
  TOP_QUANTILE_MIN_ROWS,
  withContamination,
} from './calibration.ts'
export {
  type ColumnScaler,
  fitColumnScaler,
  type ScalerOptions,
  type ScalingMethod,
  scaleColumns,
} from './column-scaler.ts'
export {
  type ColumnStatistics,
  columnStatistics,
  type Moments,
  moments,
} from './column-statistics.ts'
export { type Contributor, type ContributorOptions, topContributors } from './contributors.ts'
export { type Detector, explainDetector, scoreDetector } from './detector.ts'
export { AnomalyError, type AnomalyErrorCode } from './errors.ts'
export {
  type FeatureMatrix,
  featureMatrix,
  featureMatrixOfRows,
  selectRows,
  sharedFeatureMatrix,
} from './feature-matrix.ts'
export {
  copyGroupStatistics,
  emptyGroupStatistics,
  fitGroupStatistics,
  type GroupStatistics,
  type ScaleFloors,
  UNKNOWN_GROUP,
} from './group-statistics.ts'
export {
  type CleanedForest,
  type CleaningOptions,
  cleanAndRefit,
  MAX_DROPPED_FRACTION,
} from './isolation-cleaning.ts'
export {
  ADDITIVITY_TOLERANCE,
  explainIsolationForest,
  type IsolationExplanation,
} from './isolation-explain.ts'
export {
  fitIsolationForest,
  type IsolationForest,
  type IsolationForestOptions,
} from './isolation-forest.ts'
export { scoreIsolationForest } from './isolation-score.ts'
export type { KdTree } from './kd-tree.ts'
export {
  type KolmogorovSmirnovResult,
  kolmogorovSmirnov,
  kolmogorovSmirnovSorted,
} from './kolmogorov-smirnov.ts'
export {
  decodeModel,
  encodeModel,
  MODEL_FILE_VERSION,
  type ModelState,
  modelHash,
} from './model-file.ts'
export { parseCalibration, parseDetector } from './model-parse.ts'
export {
  fitNearestNeighbours,
  type NearestNeighbourModel,
  type NearestNeighbourOptions,
} from './nearest-neighbours.ts'
export {
  explainNearestNeighbours,
  scoreNearestNeighbours,
  scoreReferenceRows,
} from './nearest-neighbours-score.ts'
export { averagePathLength } from './path-length.ts'
export {
  type PsiBins,
  type PsiReference,
  type PsiResult,
  psi,
  psiOfFractions,
  psiReference,
} from './psi.ts'
export { quantile, quantileOfSorted, quantiles } from './quantile.ts'
export {
  createRandom,
  nextIndex,
  nextNormal,
  nextOpenUnit,
  nextUint32,
  RANDOM_ALGORITHM,
  type Random,
  sampleIndices,
  splitSeed,
} from './random.ts'
export { auroc, averagePrecision, descendingOrder, precisionAtK } from './ranking-metrics.ts'
export {
  assembleRobustBaseline,
  BASELINE_SCOPES,
  type BaselineParts,
  countDevices,
  fitRobustBaseline,
  type RobustBaseline,
  type RobustBaselineOptions,
  type RowGroups,
} from './robust-baseline.ts'
export {
  type BaselineScores,
  explainRobustBaseline,
  type ScoredGroups,
  scoreRobustBaseline,
} from './robust-baseline-score.ts'
export { createScoringPool, type ScoringPool, type ScoringPoolOptions } from './scoring-pool.ts'
export type { Whitening } from './whitening.ts'
