export type {
  ClusterCountCandidate,
  ClusterCountChoice,
  ClusterCountMethod,
} from './cluster-count.ts'
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
  chooseClusterCount,
  fitKMeans,
  type KMeansModel,
  type KMeansOptions,
} from './k-means.ts'
export { assignKMeansClusters, explainKMeans, scoreKMeans } from './k-means-score.ts'
export {
  chooseDbscanRadius,
  type RadiusCandidate,
  type RadiusChoice,
  type RadiusChoiceOptions,
} from './radius-choice.ts'
export { type SilhouetteOptions, silhouette } from './silhouette.ts'
