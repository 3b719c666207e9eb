export {
  type BackfillOptions,
  type BackfillOutcome,
  type BackfillPlan,
  backfillHistory,
  planBackfill,
} from './backfill.ts'
export { type ContentHash, historyHash } from './history-hash.ts'
export {
  type HistorySource,
  historySource,
  requireFilled,
  statesIn,
  statesKnownAt,
} from './history-source.ts'
export {
  type PointInTimeOptions,
  pointInTimeJoin,
  type SpineAnswer,
  type SpineRow,
} from './point-in-time.ts'
export { cleanRetentionDays, type DayRange } from './retention.ts'
export { assembleTrainingSet, type TrainingSet, type TrainingSetRequest } from './training-set.ts'
