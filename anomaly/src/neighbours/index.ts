export type { KdTree } from './kd-tree.ts'
export {
  fitLocalOutlierFactor,
  type LocalOutlierFactorModel,
  type LocalOutlierFactorOptions,
} from './local-outlier-factor.ts'
export {
  explainLocalOutlierFactor,
  scoreLocalOutlierFactor,
  scoreReferenceFactors,
} from './local-outlier-factor-score.ts'
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
export type { ReferenceOptions } from './reference-rows.ts'
