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
export { averagePathLength } from './path-length.ts'
