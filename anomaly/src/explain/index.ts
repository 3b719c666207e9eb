export {
  type Contributor,
  type ContributorOptions,
  topContributors,
} from './contributors.ts'
