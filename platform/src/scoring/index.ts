export { type ScoringOptions, scoringJob } from './job.ts'
export { repeatLastRun } from './repeat-run.ts'
export type {
  EligibleScore,
  ExclusionReason,
  ModelRun,
  RunModel,
  ScoredWindow,
  ScoringExclusion,
  ScoringOutcome,
} from './scored-window.ts'
export { FALLBACK_AGE_MS, type ScoreFreshness, scoreFreshness } from './staleness.ts'
