export {
  type BackfillOptions,
  type BackfillOutcome,
  type BackfillPlan,
  backfillHistory,
  planBackfill,
} from './backfill.ts'
export { type ContentHash, historyHash } from './history-hash.ts'
export { cleanRetentionDays, type DayRange } from './retention.ts'
