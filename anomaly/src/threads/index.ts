export { createScoringPool, type ScoringPool } from './scoring-pool.ts'
export { createThreadPool, type ThreadPool, type ThreadPoolOptions } from './thread-pool.ts'
