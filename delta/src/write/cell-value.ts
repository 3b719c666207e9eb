import type { DuckDBValue } from '@duckdb/node-api'
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api'
import type { DeltaType } from '../schema/schema.ts'
import { isRecord, unreachable } from '../schema/schema.ts'
import { daysOf, microsOf } from './calendar.ts'

/** A JavaScript value as the engine's; undefined if the type has no such value. Null stays null. */
export type CellConverter = (value: unknown) => DuckDBValue | undefined

const wholeLimits: Readonly<Record<string, number>> = {
  byte: 2 ** 7,
  short: 2 ** 15,
  integer: 2 ** 31,
}
const longLimit = 1n << 63n

/**
 * How values of a column arrive from JavaScript. Numbers for numeric columns (`long`: also bigint;
 * decimals: also text and bigint), boolean, text, bytes, `Date` or ISO text for dates and times (a
 * number counts milliseconds, a bigint microseconds; days for dates), arrays, plain objects for
 * structs, `Map` or plain objects for maps.
 */
export function cellConverter(type: DeltaType): CellConverter {
  const convert = presentConverter(type)
  return (value) => (value === null || value === undefined ? null : convert(value))
}

function presentConverter(type: DeltaType): CellConverter {
  if (typeof type !== 'string') return nestedConverter(type)
  switch (type) {
    case 'string':
      return (value) => (typeof value === 'string' ? value : undefined)
    case 'byte':
    case 'short':
    case 'integer':
      return wholeConverter(wholeLimits[type] ?? 0)
    case 'long':
      return longValue
    case 'double':
      return doubleValue
    case 'float':
      return (value) => {
        const number = doubleValue(value)
        return number === undefined ? undefined : Math.fround(number)
      }
    case 'boolean':
      return (value) =>
        typeof value === 'boolean' ? value : value === 1 ? true : value === 0 ? false : undefined
    case 'binary':
      return (value) => (value instanceof Uint8Array ? new DuckDBBlobValue(value) : undefined)
    case 'date':
      return (value) => {
        const days = daysOf(value)
        return days === undefined ? undefined : new DuckDBDateValue(days)
      }
    case 'timestamp':
      return (value) => {
        const micros = microsOf(value)
        return micros === undefined ? undefined : new DuckDBTimestampTZValue(micros)
      }
    case 'timestamp_ntz':
      return (value) => {
        const micros = microsOf(value)
        return micros === undefined ? undefined : new DuckDBTimestampValue(micros)
      }
    case 'void':
      return () => undefined
    default:
      return unreachable(type)
  }
}

function wholeConverter(limit: number): CellConverter {
  return (value) => {
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
    return number >= -limit && number < limit ? number : undefined
  }
}

function longValue(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'bigint') return undefined
  return value >= -longLimit && value < longLimit ? value : undefined
}

function doubleValue(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'bigint' ? Number(value) : undefined
}

function nestedConverter(type: Exclude<DeltaType, string>): CellConverter {
  switch (type.type) {
    case 'decimal':
      return (value) => decimalValue(value, type.precision, type.scale)
    case 'array': {
      const element = cellConverter(type.elementType)
      return (value) => {
        if (!Array.isArray(value) && !isNumberArray(value)) return undefined
        const items = allDefined(Array.from<unknown>(value), element)
        return items === undefined ? undefined : new DuckDBListValue(items)
      }
    }
    case 'map': {
      const key = presentConverter(type.keyType)
      const inner = cellConverter(type.valueType)
      return (value) => {
        if (!(value instanceof Map) && !isRecord(value)) return undefined
        const entries = value instanceof Map ? [...value] : Object.entries(value)
        const keys = allDefined(
          entries.map(([name]: readonly [unknown, unknown]) => name),
          key,
        )
        const values = allDefined(
          entries.map(([, item]: readonly [unknown, unknown]) => item),
          inner,
        )
        if (keys === undefined || values === undefined) return undefined
        return new DuckDBMapValue(keys.map((k, i) => ({ key: k, value: values[i] ?? null })))
      }
    }
    case 'struct': {
      const fields = type.fields.map(
        ({ name, type: inner }) => [name, cellConverter(inner)] as const,
      )
      const names = new Set(fields.map(([name]) => name))
      return (value) => {
        if (!isRecord(value)) return undefined
        if (Object.keys(value).some((name) => !names.has(name))) return undefined
        const entries: Record<string, DuckDBValue> = {}
        for (const [name, convert] of fields) {
          const converted = convert(value[name])
          if (converted === undefined) return undefined
          entries[name] = converted
        }
        return new DuckDBStructValue(entries)
      }
    }
    default:
      return unreachable(type)
  }
}

function allDefined(
  values: readonly unknown[],
  convert: CellConverter,
): readonly DuckDBValue[] | undefined {
  const converted: DuckDBValue[] = []
  for (const value of values) {
    const next = convert(value)
    if (next === undefined) return undefined
    converted.push(next)
  }
  return converted
}

function isNumberArray(value: unknown): value is Iterable<number | bigint> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

/** Text and whole numbers must fit exactly; a double is rounded to the scale, as its digits never end. */
function decimalValue(value: unknown, precision: number, scale: number) {
  const text =
    typeof value === 'number'
      ? value.toFixed(scale)
      : typeof value === 'bigint'
        ? String(value)
        : value
  if (typeof text !== 'string') return undefined
  const parts = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (parts === null) return undefined
  const [, minus = '', whole = '', fraction = ''] = parts
  if (/[1-9]/.test(fraction.slice(scale))) return undefined
  const digits = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  if (digits >= 10n ** BigInt(precision)) return undefined
  return new DuckDBDecimalValue(minus === '' ? digits : -digits, precision, scale)
}
