import { sqlText } from '../data/sql-text.ts'
import { InvalidPredicate } from '../errors.ts'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaField } from '../schema/schema.ts'
import { typeText } from '../schema/schema.ts'
import { daysOf, microsOf } from './calendar.ts'
import type { PredicateValue } from './predicate.ts'

/**
 * A value in a form that compares with `<` and `=` among values of its column: whole numbers, days and
 * microseconds as number or bigint, text as text, booleans as 0 and 1. Undefined: no order is known here.
 */
export type OrderedValue = number | bigint | string | undefined

/** A value of a condition, ready for SQL and for the comparison with statistics. */
export interface ColumnValue {
  readonly sql: string
  readonly ordered: OrderedValue
}

const wholeBits: Readonly<Record<string, bigint>> = {
  byte: 7n,
  short: 15n,
  integer: 31n,
  long: 63n,
}

/**
 * The value as one of the column's type.
 * @throws InvalidPredicate if it is none
 */
export function columnValue(field: DeltaField, value: PredicateValue, table: string): ColumnValue {
  const found = valueOfType(field, value)
  if (found !== undefined) return found
  throw new InvalidPredicate({
    table,
    where: `condition on column ${field.name}`,
    what: 'compares with a value of another type',
    expected: typeText(field.type),
    found: `${typeof value} ${String(value).slice(0, 60)}`,
    fix: 'pass a value that the column can hold',
  })
}

function valueOfType(field: DeltaField, value: PredicateValue): ColumnValue | undefined {
  const { type } = field
  const cast = (text: string, ordered: OrderedValue): ColumnValue => ({
    sql: `CAST(${sqlText(text)} AS ${toDuckDbType(type)})`,
    ordered,
  })
  if (typeof type !== 'string') {
    if (type.type !== 'decimal') return undefined
    const text = decimalText(value, type.scale)
    // Rounded to the nearest double, which keeps the order (though not strictly).
    return text === undefined ? undefined : cast(text, Number(text))
  }
  switch (type) {
    case 'string':
      return typeof value === 'string' ? cast(value, value) : undefined
    case 'byte':
    case 'short':
    case 'integer':
    case 'long': {
      const whole = wholeNumber(value)
      const limit = 1n << (wholeBits[type] ?? 0n)
      const fits = whole !== undefined && whole >= -limit && whole < limit
      return fits ? cast(String(whole), whole) : undefined
    }
    case 'double':
    case 'float': {
      if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
      const number = type === 'float' ? Math.fround(Number(value)) : Number(value)
      return cast(floatText(number), Number.isFinite(number) ? number : undefined)
    }
    case 'boolean':
      return typeof value === 'boolean' ? cast(String(value), Number(value)) : undefined
    case 'binary': {
      if (!(value instanceof Uint8Array)) return undefined
      return { sql: `unhex('${Buffer.from(value).toString('hex')}')`, ordered: undefined }
    }
    case 'date': {
      const days = daysOf(value)
      return days === undefined
        ? undefined
        : { sql: `(DATE '1970-01-01' + ${days})`, ordered: days }
    }
    case 'timestamp':
    case 'timestamp_ntz': {
      const micros = microsOf(value)
      const make = type === 'timestamp' ? 'make_timestamptz' : 'make_timestamp'
      return micros === undefined ? undefined : { sql: `${make}(${micros})`, ordered: micros }
    }
    default:
      return undefined
  }
}

function wholeNumber(value: PredicateValue): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : undefined
}

/** The digits of a decimal, or undefined if the scale cannot hold them. */
function decimalText(value: PredicateValue, scale: number): string | undefined {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value
  if (typeof text !== 'string') return undefined
  const digits = /^-?\d+(?:\.(\d+))?$/.exec(text)
  return digits !== null && (digits[1] ?? '').length <= scale ? text : undefined
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Object.is(value, -0) ? '-0.0' : String(value)
}
