export {
  bestTrial,
  type HyperSearch,
  nextParameters,
  runSearch,
  type SearchBudget,
  startSearch,
  type Trial,
  type TrialOutcome,
  withTrial,
} from './hyper-search.ts'
export type { ParametersOf, SearchDimension, SearchSpace } from './search-space.ts'
export { parseSearch } from './search-state.ts'
