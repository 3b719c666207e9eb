export { type LogOptions, openLog, type SegmentLog } from './log.ts'
export { partitionOf } from './murmur2.ts'
export type { Recovery } from './segment-recovery.ts'
export type { DiskCalls } from './segment-writer.ts'
