import { InvalidPartitionValue } from '../errors.ts'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaType, PrimitiveName } from '../schema/schema.ts'
import { typeText } from '../schema/schema.ts'
import { sqlText } from './sql-text.ts'

const wholeNumber = /^[+-]?\d+$/
const floating = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]?Inf(?:inity)?)$/i
const fixedPoint = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const calendarDay = /^[+-]?\d{4,6}-\d\d?-\d\d?$/
const clockTime = /^[+-]?\d{4,6}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:\.\d{1,9})?)?)?$/
const timeZone = /(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$/i

/** Forms of the texts; types that are not here cannot partition a table. */
const forms: Readonly<Partial<Record<PrimitiveName, RegExp>>> = {
  string: /^/,
  binary: /^/,
  void: /^/,
  long: wholeNumber,
  integer: wholeNumber,
  short: wholeNumber,
  byte: wholeNumber,
  double: floating,
  float: floating,
  boolean: /^(?:true|false)$/i,
  date: calendarDay,
}

/**
 * SQL of a partition value's text, to be cast to the column's type. Delta: "Partition Value
 * Serialization". A timestamp without a zone counts as UTC, whatever the session's zone.
 * @param where file and column, for the message
 * @throws InvalidPartitionValue if the text is no value of the type
 */
export function partitionText(
  value: string | null,
  type: DeltaType,
  origin: { readonly table: string; readonly where: string },
): string {
  if (value === null) return 'NULL'
  if (type === 'binary') return `encode(${sqlText(value)})`
  if (type === 'timestamp' || type === 'timestamp_ntz') {
    // A date holds a minus too, so a zone is looked for behind the time of day only.
    const split = value.search(/[T ]/)
    const zone = split < 0 ? null : timeZone.exec(value.slice(split))
    const clock = zone === null ? value : value.slice(0, value.length - zone[0].length)
    if (clockTime.test(clock.trimEnd())) {
      const full = split < 0 ? `${clock} 00:00:00` : clock
      return sqlText(type === 'timestamp_ntz' ? full : `${full}${zone?.[0] ?? '+00'}`)
    }
  } else {
    const form = typeof type === 'string' ? forms[type] : fixedPoint
    const isPlain = typeof type === 'string' || type.type === 'decimal'
    if (isPlain && form?.test(value) === true && fitsWidth(value, type)) return sqlText(value)
  }
  throw new InvalidPartitionValue({
    ...origin,
    what: 'the partition value in the log does not fit the column',
    expected: typeText(type),
    found: value,
    fix: 'find out who wrote the file; its rows cannot be placed',
  })
}

const wholeBits: ReadonlyMap<DeltaType, number> = new Map<DeltaType, number>([
  ['byte', 8],
  ['short', 16],
  ['integer', 32],
  ['long', 64],
])

function fitsWidth(value: string, type: DeltaType): boolean {
  const bits = wholeBits.get(type)
  if (bits === undefined) return true
  const number = BigInt(value.replace(/^\+/, ''))
  return BigInt.asIntN(bits, number) === number
}

/** SQL of one partition value, typed. */
export function partitionCast(sql: string, type: DeltaType): string {
  return `CAST(${sql} AS ${toDuckDbType(type)})`
}

/** SQL of a list with one partition value per file, typed. */
export function partitionListCast(values: readonly string[], type: DeltaType): string {
  return `CAST([${values.join(', ')}] AS ${toDuckDbType(type)}[])`
}
