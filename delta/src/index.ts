export type {
  AddFile,
  Metadata,
  PartitionValues,
  Protocol,
  RemoveFile,
  Transaction,
} from './actions.ts'
export type { CommitOutcome, CommitRequest } from './commit-request.ts'
export type { CompactOptions, CompactOutcome } from './compact.ts'
export { compact } from './compact.ts'
export type { CommitConflict, ConflictReason } from './conflict.ts'
export { fromDuckDbType, toDuckDbType } from './duckdb-types.ts'
export type { DeltaErrorCode, ErrorFacts } from './errors.ts'
export {
  CheckpointUnreadable,
  DeltaError,
  InvalidCommit,
  InvalidPartitionValue,
  InvalidProperty,
  InvalidSchema,
  LogCorrupt,
  ObjectNotFound,
  PathOutsideTable,
  RetentionTooShort,
  SchemaMismatch,
  StoreNotLocal,
  TableAlreadyExists,
  TableNotFound,
  TableNotWritable,
  UnsupportedFeature,
  VersionNotAvailable,
} from './errors.ts'
export { folderStore } from './folder-store.ts'
export type { Host } from './host.ts'
export { systemHost } from './host.ts'
export type { Change, HistoryEntry } from './log-history.ts'
export { memoryStore } from './memory-store.ts'
export type { ListOptions, ObjectStore, PutOptions, StoredObject } from './object-store.ts'
export type { NewTable, TableOptions } from './open-table.ts'
export { createTable, openTable, tableExists } from './open-table.ts'
export type { RelationOptions } from './relation.ts'
export { relationSql } from './relation.ts'
export type { Snapshot } from './replay.ts'
export type {
  ArrayType,
  DecimalType,
  DeltaField,
  DeltaSchema,
  DeltaType,
  MapType,
  PrimitiveName,
  StructType,
} from './schema.ts'
export type { FileFilter, RangeBound } from './skip-files.ts'
export { skipFiles } from './skip-files.ts'
export type { FileStatistics, StatisticValue } from './statistics.ts'
export { parseStatistics } from './statistics.ts'
export type { DeltaTable, SnapshotRequest } from './table.ts'
export type { VacuumOptions, VacuumReport } from './vacuum.ts'
export { vacuum } from './vacuum.ts'
export type { WriteOptions } from './write-files.ts'
export { discardFiles, writeFiles } from './write-files.ts'
