export { type BoostedExplanation, explainBoostedTrees } from './boosted-explain.ts'
export {
  type Contributor,
  type ContributorOptions,
  topContributors,
} from './contributors.ts'
export {
  type ColumnImportance,
  type PermutationImportance,
  type PermutationImportanceOptions,
  permutationImportance,
} from './permutation-importance.ts'
