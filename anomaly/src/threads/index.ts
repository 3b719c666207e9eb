export {
  createScoringPool,
  type ScoringPool,
  type ScoringPoolOptions,
} from './scoring-pool.ts'
