export type { JobContext, Lake, LakeTable, TableWrite, WriteOutcome } from './lake-table.ts'
