export { type BoostedExplanation, explainBoostedTrees } from './boosted-explain.ts'
export {
  type Contributor,
  type ContributorOptions,
  topContributors,
} from './contributors.ts'
