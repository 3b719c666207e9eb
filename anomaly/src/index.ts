/**
 * Anomaly detection on flat typed arrays: detectors, calibration, statistics, drift, metrics and
 * model files. Plain functions and plain data; no I/O, no clock, no dependencies.
 * @module
 */

export * from './baseline/index.ts'
export * from './boosting/index.ts'
export * from './clustering/index.ts'
export * from './density/index.ts'
export {
  type Detector,
  type DetectorKindName,
  explainDetector,
  missingValuePolicy,
  parseDetector,
  scoreDetector,
} from './detector.ts'
export type { DetectorKind } from './detector-kind.ts'
export * from './drift/index.ts'
export { AnomalyError, type AnomalyErrorCode } from './errors.ts'
export * from './explain/index.ts'
export {
  type FeatureMatrix,
  featureMatrix,
  featureMatrixOfRows,
  selectRows,
  sharedFeatureMatrix,
} from './feature-matrix.ts'
export * from './forest/index.ts'
export * from './kernel/index.ts'
export * from './linear/index.ts'
export * from './metrics/index.ts'
export * from './model-file/index.ts'
export * from './neighbours/index.ts'
export * from './neural/index.ts'
export * from './onnx/index.ts'
export type { ScoredGroups } from './row-groups.ts'
export * from './search/index.ts'
export * from './series/index.ts'
export * from './sketches/index.ts'
export * from './statistics/index.ts'
export * from './streaming/index.ts'
export * from './subspace/index.ts'
export * from './threads/index.ts'
export * from './thresholds/index.ts'
export * from './validation/index.ts'
