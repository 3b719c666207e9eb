import { sqlText } from '../../clean/index.ts'
import type { ValueGrid } from '../value-grid.ts'

/** Where SQL engines differ; everything else of a query is common to them. */
export type Dialect = {
  readonly name: 'duckdb' | 'spark'
  readonly quote: (column: string) => string
  readonly text: (value: string) => string
  readonly double: (term: string) => string
  /** A double as a literal, never a decimal. */
  readonly doubleLiteral: (value: number) => string
  /** Product of two integers that may be added up over a day; `isWide` if it exceeds 64 bits. */
  readonly product: (left: string, right: string, isWide: boolean) => string
  /** Sum of integers that may be squared. */
  readonly sum: (term: string) => string
  /** Nearest grid step, halves to even. */
  readonly gridSteps: (column: string, grid: ValueGrid) => string
  readonly quotient: (dividend: string, divisor: number) => string
  readonly countIf: (condition: string) => string
  readonly quantile: (column: string, share: number) => string
  readonly epochMs: (timestamp: string) => string
  /** Timestamp of a count of ms since 1970. */
  readonly instant: (ms: string) => string
  readonly date: (ms: string) => string
  readonly listLength: (column: string) => string
  readonly integer32: (term: string) => string
  /** Sorted list of the non-null values of a group. */
  readonly sortedList: (term: string) => string
  /** Element of a list by zero-based index. */
  readonly element: (list: string, index: string) => string
  /** One row for each integer from 0 up to a bound, as a projected column. */
  readonly eachBelow: (count: string) => string
  readonly dayOfYear: (timestamp: string) => string
  readonly nullOf: (type: 'boolean' | 'texts') => string
}

/** What the platform runs. */
export const duckdbDialect: Dialect = {
  name: 'duckdb',
  quote: (column) => `"${column.replaceAll('"', '""')}"`,
  text: sqlText,
  double: (term) => `(${term})::DOUBLE`,
  doubleLiteral: (value) => `${value}::DOUBLE`,
  product: (left, right, isWide) => `${left}::${isWide ? 'HUGEINT' : 'BIGINT'} * ${right}`,
  sum: (term) => `sum(${term})`,
  gridSteps: (column, { scale, isWide }) =>
    `CAST(${column} * ${scale} AS ${isWide ? 'BIGINT' : 'INTEGER'})`,
  quotient: (dividend, divisor) => `${dividend} // ${divisor}`,
  countIf: (condition) => `count_if(${condition})`,
  quantile: (column, share) => `quantile_cont(${column}, ${share})`,
  epochMs: (timestamp) => `epoch_ms(${timestamp})`,
  instant: (ms) => `make_timestamptz((${ms}) * 1000)`,
  date: (ms) => `strftime(make_timestamp((${ms}) * 1000), '%Y-%m-%d')`,
  listLength: (column) => `len(${column})`,
  integer32: (term) => `${term}::INTEGER`,
  sortedList: (term) => `list(${term} ORDER BY ${term}) FILTER (${term} IS NOT NULL)`,
  element: (list, index) => `${list}[${index} + 1]`,
  eachBelow: (count) => `unnest(range(0, ${count}))`,
  dayOfYear: (timestamp) => `dayofyear(make_timestamp(epoch_us(${timestamp})))`,
  nullOf: (type) => (type === 'boolean' ? 'NULL::BOOLEAN' : 'NULL::VARCHAR[]'),
}

/**
 * Spark SQL 3.4 and later, session time zone UTC. Sums of products are DECIMAL(38, 0), because its
 * BIGINT overflows on a day of squares.
 */
export const sparkDialect: Dialect = {
  name: 'spark',
  quote: (column) => `\`${column.replaceAll('`', '``')}\``,
  text: (value) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  double: (term) => `CAST(${term} AS DOUBLE)`,
  doubleLiteral: (value) => `CAST(${value} AS DOUBLE)`,
  product: (left, right, isWide) =>
    isWide
      ? `CAST(${left} AS DECIMAL(38, 0)) * ${right}`
      : `CAST(${left} * ${right} AS DECIMAL(20, 0))`,
  sum: (term) => `CAST(sum(${term}) AS DECIMAL(38, 0))`,
  gridSteps: (column, { scale }) => `CAST(rint(${column} * ${scale}) AS BIGINT)`,
  quotient: (dividend, divisor) => `CAST(floor((${dividend}) / ${divisor}) AS BIGINT)`,
  countIf: (condition) => `count_if(${condition})`,
  quantile: (column, share) => `percentile(${column}, ${share})`,
  epochMs: (timestamp) => `unix_millis(${timestamp})`,
  instant: (ms) => `timestamp_millis(${ms})`,
  date: (ms) => `date_format(timestamp_millis(${ms}), 'yyyy-MM-dd')`,
  listLength: (column) => `size(${column})`,
  integer32: (term) => `CAST(${term} AS INT)`,
  sortedList: (term) => `array_sort(collect_list(${term}))`,
  element: (list, index) => `get(${list}, CAST(${index} AS INT))`,
  eachBelow: (count) => `explode(sequence(0, CAST(${count} AS INT) - 1))`,
  dayOfYear: (timestamp) => `dayofyear(${timestamp})`,
  nullOf: (type) => `CAST(NULL AS ${type === 'boolean' ? 'BOOLEAN' : 'ARRAY<STRING>'})`,
}
