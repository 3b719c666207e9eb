export {
  describeLog,
  type GroupPosition,
  type LogDescription,
  type PartitionDescription,
} from './describe-log.ts'
export { type LogOptions, openLog, type SegmentLog } from './log.ts'
export { partitionOf } from './murmur2.ts'
export { type RecordRange, recordsBetween } from './read-log.ts'
export type { Recovery } from './segment-recovery.ts'
export type { DiskCalls } from './segment-writer.ts'
export { type LogFault, type LogVerification, type VerifyOptions, verifyLog } from './verify-log.ts'
