/** The closed list of codes that an error of this package can carry. */
export type DeltaErrorCode =
  | 'TABLE_NOT_FOUND'
  | 'TABLE_ALREADY_EXISTS'
  | 'VERSION_NOT_AVAILABLE'
  | 'LOG_CORRUPT'
  | 'CHECKPOINT_UNREADABLE'
  | 'DELETION_VECTOR_UNREADABLE'
  | 'DATA_FILE_MISSING'
  | 'DATA_FILE_UNREADABLE'
  | 'STREAM_INTERRUPTED'
  | 'UNSUPPORTED_FEATURE'
  | 'TABLE_NOT_WRITABLE'
  | 'INVALID_SCHEMA'
  | 'SCHEMA_MISMATCH'
  | 'INVALID_COMMIT'
  | 'INVALID_PARTITION_VALUE'
  | 'INVALID_PROPERTY'
  | 'PATH_OUTSIDE_TABLE'
  | 'OBJECT_NOT_FOUND'
  | 'STORE_NOT_LOCAL'
  | 'RETENTION_TOO_SHORT'
  | 'INVALID_PREDICATE'
  | 'ROWS_OUTSIDE_PREDICATE'
  | 'INVALID_MERGE_KEY'
  | 'NULL_NOT_ALLOWED'
  | 'COMMIT_BLOCKED'

/** The parts every message is made of. */
export interface ErrorFacts {
  /** Location of the table. */
  readonly table: string
  /** The version, file, column or property concerned. */
  readonly where?: string
  readonly what: string
  readonly expected?: string
  readonly found?: string
  /** What the reader of the message can do now. */
  readonly fix: string
  readonly cause?: unknown
}

/** Base of every error of this package; tell them apart by class or by `code`. */
export class DeltaError extends Error {
  readonly code: DeltaErrorCode
  readonly facts: ErrorFacts

  constructor(code: DeltaErrorCode, facts: ErrorFacts) {
    super(messageOf(facts), facts.cause === undefined ? {} : { cause: facts.cause })
    this.name = new.target.name
    this.code = code
    this.facts = facts
  }
}

function messageOf(facts: ErrorFacts): string {
  const place = facts.where === undefined ? facts.table : `${facts.table}: ${facts.where}`
  const expected = facts.expected === undefined ? '' : `, expected ${facts.expected}`
  const found = facts.found === undefined ? '' : `, found ${facts.found}`
  return `${place}: ${facts.what}${expected}${found}; ${facts.fix}`
}

/** The folder holds no Delta log. */
export class TableNotFound extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('TABLE_NOT_FOUND', facts)
  }
}

/** A table is already there, so none can be created. */
export class TableAlreadyExists extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('TABLE_ALREADY_EXISTS', facts)
  }
}

/** The log no longer reaches, or never reached, the version or time asked for. */
export class VersionNotAvailable extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('VERSION_NOT_AVAILABLE', facts)
  }
}

/** A commit is torn, not JSON, missing in the sequence, or breaks a rule of the protocol. */
export class LogCorrupt extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('LOG_CORRUPT', facts)
  }
}

/** A checkpoint file is truncated or does not hold what a checkpoint must. */
export class CheckpointUnreadable extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('CHECKPOINT_UNREADABLE', facts)
  }
}

/** A deletion vector is missing, damaged, or not what its descriptor says. */
export class DeletionVectorUnreadable extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('DELETION_VECTOR_UNREADABLE', facts)
  }
}

/** A data file that the log names is not there. */
export class DataFileMissing extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('DATA_FILE_MISSING', facts)
  }
}

/** A data file is truncated, damaged, no Parquet file, or holds values of another type. */
export class DataFileUnreadable extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('DATA_FILE_UNREADABLE', facts)
  }
}

/** A connection was used for something else while a stream of rows on it was open. */
export class StreamInterrupted extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('STREAM_INTERRUPTED', facts)
  }
}

/** Reading the table needs a feature this library does not have; it is named in the message. */
export class UnsupportedFeature extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('UNSUPPORTED_FEATURE', facts)
  }
}

/** The table can be read, but writing it needs a feature this library does not have. */
export class TableNotWritable extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('TABLE_NOT_WRITABLE', facts)
  }
}

/** The schema of a new or changed table breaks a rule. */
export class InvalidSchema extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('INVALID_SCHEMA', facts)
  }
}

/** Rows to append do not fit the columns of the table. */
export class SchemaMismatch extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('SCHEMA_MISMATCH', facts)
  }
}

/** A commit request contradicts itself or the table. */
export class InvalidCommit extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('INVALID_COMMIT', facts)
  }
}

/** A partition value that the log cannot tell from another (the empty string). */
export class InvalidPartitionValue extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('INVALID_PARTITION_VALUE', facts)
  }
}

/** A table property does not parse. */
export class InvalidProperty extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('INVALID_PROPERTY', facts)
  }
}

/** A path in the log climbs out of the table's folder. */
export class PathOutsideTable extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('PATH_OUTSIDE_TABLE', facts)
  }
}

/** The object store holds nothing under this path. */
export class ObjectNotFound extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('OBJECT_NOT_FOUND', facts)
  }
}

/** The store keeps no local files, so the SQL engine cannot read or write its data files. */
export class StoreNotLocal extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('STORE_NOT_LOCAL', facts)
  }
}

/** VACUUM was asked to delete files that running readers or writers may still need. */
export class RetentionTooShort extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('RETENTION_TOO_SHORT', facts)
  }
}

/** A condition names no column of the table, compares with a value of another type, or is no plain SQL. */
export class InvalidPredicate extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('INVALID_PREDICATE', facts)
  }
}

/** Rows that shall replace the rows of a condition do not meet it themselves. */
export class RowsOutsidePredicate extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('ROWS_OUTSIDE_PREDICATE', facts)
  }
}

/** The keys of an upsert are no columns, are null, or occur twice in the rows given. */
export class InvalidMergeKey extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('INVALID_MERGE_KEY', facts)
  }
}

/** A null in a column that the table declares as not nullable. */
export class NullNotAllowed extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('NULL_NOT_ALLOWED', facts)
  }
}

/** On a file system without hard links, a writer on another machine holds the next version. */
export class CommitBlocked extends DeltaError {
  constructor(facts: ErrorFacts) {
    super('COMMIT_BLOCKED', facts)
  }
}
