/** Logical column types, CON-1. `timestamp` is a UTC instant with microseconds. */
export type ColumnType =
  | 'string'
  | 'timestamp'
  | 'double'
  | 'integer'
  | 'long'
  | 'boolean'
  | 'binary'
  | 'array<string>'
  | 'array<double>'
  | 'map<string,double>'

/** One column of a table contract: what it holds, in which unit, within which bounds. */
export type Column = {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  /** Meaning in one line, for people. */
  readonly meaning: string
  readonly unit?: string
  /** Inclusive bounds of a numeric column. */
  readonly range?: readonly [number, number]
  /** The closed set of values of a string column. */
  readonly values?: readonly string[]
  /** True for an additive extension of the base contract (the spec's *Ext* columns). */
  readonly extension?: boolean
  /** True when the column can identify a person. */
  readonly personal?: boolean
  /** Largest share of nulls in a stretch of rows, 0 to 1; absent: not judged. */
  readonly maxNullFraction?: number
  /** UTC date `YYYY-MM-DD` from which the column is no longer filled, CON-51. */
  readonly deprecatedOn?: string
  /** The column that takes its place, CON-52. */
  readonly replacedBy?: string
  /** Name in the files it is read from, where that is another one. */
  readonly physicalName?: string
}

/** What readers of a table may count on; absent: not promised. */
export type ServiceLevel = {
  /** Longest time from the instant in `freshnessColumn` to the row being readable, minutes. */
  readonly freshnessMinutes?: number
  /** Timestamp column that ages: data time where there is one, never commit time, CON-48. */
  readonly freshnessColumn?: string
  /** Days a row is kept. */
  readonly retentionDays?: number
  /** Share of what should be there that is there, 0 to 1, and of what. */
  readonly completeness?: { readonly share: number; readonly of: string }
  /** Usual time between two rows of one device (or of the table), seconds. */
  readonly cadenceSeconds?: number
  /** Longest pause between two rows of one device (or of the table), seconds. */
  readonly maxGapSeconds?: number
}

/** One table: its columns in order, its key and how it is laid out. */
export type TableContract = {
  /** Table name in SQL and in the lake. */
  readonly name: string
  /** Contract number of the specification, for example `C1`. */
  readonly id: string
  readonly version: string
  readonly purpose: string
  readonly columns: readonly Column[]
  readonly key: readonly string[]
  readonly partitionColumns: readonly string[]
  /** Order of rows inside a file, for skipping. */
  readonly sortColumns: readonly string[]
  /**
   * Days after the date in a partition column during which rows are still replaced. Compaction
   * waits for them: packing files that the next late reading rewrites would be wasted.
   */
  readonly settlesAfterDays?: number
  /** Team that answers for the table; default `data-engineering`. */
  readonly owner?: string
  readonly service?: ServiceLevel
  /** What holds between columns or rows and no column can say, one sentence each. */
  readonly semantics?: readonly string[]
}

type ValueOf = {
  string: string
  timestamp: number
  double: number
  integer: number
  long: bigint
  boolean: boolean
  binary: Uint8Array
  'array<string>': readonly string[]
  'array<double>': readonly number[]
  'map<string,double>': Readonly<Record<string, number>>
}

type Cell<C extends Column> = C['nullable'] extends false
  ? ValueOf[C['type']]
  : ValueOf[C['type']] | null

/** Row type of a list of columns; timestamps are epoch milliseconds, longs are bigint. */
export type RowOf<Columns extends readonly Column[]> = {
  readonly [C in Columns[number] as C['name']]: Cell<C>
}

type Extra = Partial<Omit<Column, 'name' | 'type' | 'nullable' | 'meaning'>>

/** A column that is never null. */
export function required<const N extends string, const T extends ColumnType, const X extends Extra>(
  name: N,
  type: T,
  meaning: string,
  extra?: X,
) {
  return { name, type, nullable: false, meaning, ...extra } as const
}

/** A column that may be null. */
export function optional<const N extends string, const T extends ColumnType, const X extends Extra>(
  name: N,
  type: T,
  meaning: string,
  extra?: X,
) {
  return { name, type, nullable: true, meaning, ...extra } as const
}

/** A nullable column that extends the base contract. */
export function extension<
  const N extends string,
  const T extends ColumnType,
  const X extends Extra,
>(name: N, type: T, meaning: string, extra?: X) {
  return { name, type, nullable: true, meaning, extension: true, ...extra } as const
}
