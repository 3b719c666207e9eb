export {
  clusterByDensity,
  type DbscanClusters,
  type DbscanModel,
  type DbscanOptions,
  fitDbscan,
} from './dbscan.ts'
export {
  assignDbscanClusters,
  explainDbscan,
  scoreDbscan,
  scoreDbscanTraining,
} from './dbscan-score.ts'
export { NOISE } from './density-clusters.ts'
export {
  chooseDbscanRadius,
  type RadiusCandidate,
  type RadiusChoice,
  type RadiusChoiceOptions,
} from './radius-choice.ts'
export { type SilhouetteOptions, silhouette } from './silhouette.ts'
