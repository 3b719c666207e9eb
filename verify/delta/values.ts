import type { DeltaField, DeltaType } from '@isotherm/delta'

/**
 * A value of a table in a form of its own, apart from every engine: whole numbers, days since 1970,
 * microseconds since 1970 and unscaled decimals are bigints; structs are lists in field order, maps
 * lists of pairs.
 */
export type Value = null | boolean | bigint | number | string | Uint8Array | readonly Value[]

/** A row: one value for each column of the schema. */
export type Row = readonly Value[]

const bits = new DataView(new ArrayBuffer(8))

/**
 * One spelling for each value, the same for every engine: JSON where numbers are text, floating
 * point is its bits, and the entries of a map stand in order of their keys.
 */
export function canonical(type: DeltaType, value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return `"${value}"`
  if (typeof value === 'number') return `"${floatBits(value)}"`
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `"x${Buffer.from(value).toString('hex')}"`
  if (typeof type === 'string' || type.type === 'decimal') throw new Error(`list for ${type}`)
  if (type.type === 'array') {
    return `[${value.map((item) => canonical(type.elementType, item)).join(',')}]`
  }
  if (type.type === 'struct') {
    const parts = type.fields.map((field, i) => canonical(field.type, value[i] ?? null))
    return `[${parts.join(',')}]`
  }
  const entries = value.map((entry) => {
    const [key = null, item = null] = entry as readonly Value[]
    return `[${canonical(type.keyType, key)},${canonical(type.valueType, item)}]`
  })
  return `[${entries.toSorted(compareUtf8).join(',')}]`
}

function floatBits(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  // Equal zeros count as one: the Parquet writer of DuckDB keeps one of them for a column's both.
  if (value === 0) return '0000000000000000'
  bits.setFloat64(0, value)
  return bits.getBigUint64(0).toString(16).padStart(16, '0')
}

/** The spelling of a row. */
export function canonicalRow(fields: readonly DeltaField[], row: Row): string {
  return `[${fields.map((field, i) => canonical(field.type, row[i] ?? null)).join(',')}]`
}

/** Order of texts by their UTF-8 bytes, as all engines compare them. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Order of two values of a plain type as SQL has it; NaN does not occur. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b)
  const [left, right] = [a as bigint | number | boolean, b as bigint | number | boolean]
  return left < right ? -1 : left > right ? 1 : 0
}

/** A decimal as text with all digits of its scale. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`
}

/** `yyyy-MM-dd` of days since 1970. */
export function dateText(days: bigint): string {
  return new Date(Number(days) * 86_400_000).toISOString().slice(0, 10)
}

/** `yyyy-MM-dd HH:mm:ss.ffffff` in UTC of microseconds since 1970. */
export function instantText(micros: bigint): string {
  const second = micros >= 0n ? micros / 1_000_000n : -((-micros + 999_999n) / 1_000_000n)
  const fraction = String(micros - second * 1_000_000n).padStart(6, '0')
  const date = new Date(Number(second) * 1000).toISOString()
  return `${date.slice(0, 10)} ${date.slice(11, 19)}.${fraction}`
}
