export type {
  JobContext,
  Lake,
  LakeTable,
  MaintenanceOutcome,
  TableWrite,
  WriteOutcome,
} from './lake-table.ts'
export { type LandingOutcome, landingJob } from './landing-job.ts'
export { type LakeOptions, openLake } from './open-lake.ts'
export type { QueryOptions, QueryResult } from './query-engine.ts'
export { sqlList, withRows } from './rows-relation.ts'
