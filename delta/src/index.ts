export type { CheckOptions, CheckReport } from './check/check-table.ts'
export { checkTable } from './check/check-table.ts'
export type { CheckCounts, Problem, ProblemCode } from './check/problem.ts'
export type { RelationOptions } from './data/relation.ts'
export { relationSql } from './data/relation.ts'
export type { FileFilter, RangeBound } from './data/skip-files.ts'
export { skipFiles } from './data/skip-files.ts'
export type { FileStatistics, StatisticValue } from './data/statistics.ts'
export { parseStatistics } from './data/statistics.ts'
export type { WriteOptions } from './data/write-files.ts'
export { discardFiles, writeFiles } from './data/write-files.ts'
export type { DeltaErrorCode, ErrorFacts } from './errors.ts'
export {
  CheckpointUnreadable,
  CommitBlocked,
  DataFileMissing,
  DataFileUnreadable,
  DeletionVectorUnreadable,
  DeltaError,
  InvalidCommit,
  InvalidMergeKey,
  InvalidPartitionValue,
  InvalidPredicate,
  InvalidProperty,
  InvalidSchema,
  LogCorrupt,
  NullNotAllowed,
  ObjectNotFound,
  PathOutsideTable,
  RetentionTooShort,
  RowsOutsidePredicate,
  SchemaMismatch,
  StoreNotLocal,
  StreamInterrupted,
  TableAlreadyExists,
  TableNotFound,
  TableNotWritable,
  UnsupportedFeature,
  VersionNotAvailable,
} from './errors.ts'
export type { Host } from './host.ts'
export { systemHost } from './host.ts'
export type {
  AddFile,
  Metadata,
  PartitionValues,
  Protocol,
  RemoveFile,
  Transaction,
} from './log/actions.ts'
export type { CommitOutcome, CommitRequest } from './log/commit-request.ts'
export type { CommitConflict, ConflictReason } from './log/conflict.ts'
export type { Change, HistoryEntry } from './log/log-history.ts'
export type { Snapshot } from './log/replay.ts'
export type { TableFeature } from './log/table-features.ts'
export type { CleanLogOptions, CleanLogReport } from './maintain/clean-log.ts'
export { cleanLog } from './maintain/clean-log.ts'
export type { CompactOptions, CompactOutcome } from './maintain/compact.ts'
export { compact } from './maintain/compact.ts'
export type { TableDescription } from './maintain/describe.ts'
export { describeTable } from './maintain/describe.ts'
export { restore } from './maintain/restore.ts'
export type { VacuumOptions, VacuumReport } from './maintain/vacuum.ts'
export { vacuum } from './maintain/vacuum.ts'
export type { NewTable, TableOptions } from './open-table.ts'
export { createTable, openTable, tableExists } from './open-table.ts'
export type { ChangeRowsOptions } from './read/change-rows.ts'
export { changeRows } from './read/change-rows.ts'
export type { StatisticsCheckOptions, StatisticsFault } from './read/check-statistics.ts'
export { checkStatistics } from './read/check-statistics.ts'
export type { ReadOrigin } from './read/read-error.ts'
export { readErrorOf } from './read/read-error.ts'
export type { ColumnValues, RowBatch, TypedColumn } from './read/row-batch.ts'
export type { RowsOptions } from './read/rows.ts'
export { rows } from './read/rows.ts'
export type { ColumnType } from './schema/columns.ts'
export { columns } from './schema/columns.ts'
export { fromDuckDbType, toDuckDbType } from './schema/duckdb-types.ts'
export type {
  ArrayType,
  DecimalType,
  DeltaField,
  DeltaSchema,
  DeltaType,
  MapType,
  PrimitiveName,
  StructType,
} from './schema/schema.ts'
export { folderStore } from './store/folder-store.ts'
export { memoryStore } from './store/memory-store.ts'
export type { ListOptions, ObjectStore, PutOptions, StoredObject } from './store/object-store.ts'
export type { DeltaTable, SnapshotRequest } from './table.ts'
export type { AppendOptions, FileLayout } from './write/append.ts'
export { append } from './write/append.ts'
export type { ColumnData, NumberArray } from './write/column-data.ts'
export type { DeleteOptions } from './write/delete-where.ts'
export { deleteWhere } from './write/delete-where.ts'
export type { OverwriteOptions, ReplaceOptions } from './write/overwrite.ts'
export { overwrite, replaceWhere } from './write/overwrite.ts'
export type { Comparison, Predicate, PredicateValue } from './write/predicate.ts'
export type { TableShape } from './write/predicate-files.ts'
export { mayMatch } from './write/predicate-files.ts'
export { checkSqlParts, predicateSql } from './write/predicate-sql.ts'
export type { RowSource } from './write/row-source.ts'
export type { UpsertOptions } from './write/upsert.ts'
export { upsert } from './write/upsert.ts'
export type { WriteControl, WriteOutcome } from './write/write-outcome.ts'
