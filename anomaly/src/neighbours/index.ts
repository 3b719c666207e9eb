export type { KdTree } from './kd-tree.ts'
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
