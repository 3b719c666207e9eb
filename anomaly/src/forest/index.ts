export { type ExtendedExplanation, explainExtendedForest } from './extended-explain.ts'
export {
  type ExtendedCut,
  type ExtendedForest,
  type ExtendedForestOptions,
  fitExtendedForest,
} from './extended-forest.ts'
export { scoreExtendedForest } from './extended-score.ts'
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
