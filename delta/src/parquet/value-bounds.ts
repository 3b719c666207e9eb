import type { ColumnReport } from '../data/copy-report.ts'
import { compareText } from '../data/text-order.ts'
import type { DeltaType } from '../schema/schema.ts'
import type { ColumnLayout } from './column-layout.ts'
import type { ChunkBounds } from './file-footer.ts'
import type { NumberValues, PresentValues } from './present-values.ts'

/** Smallest and largest value of a column; none if it has no values, or NaN among them. */
export interface ValueBounds {
  readonly hasNan: boolean
  readonly range?: {
    readonly min: number | bigint | string
    readonly max: number | bigint | string
  }
}

/** Texts of more bytes make no bounds in the footer, where every reader would have to load them. */
const longestFooterText = 256

/** The bounds of values in the order of their type: texts by their bytes, numbers by value. */
export function valueBounds({ values }: PresentValues): ValueBounds {
  switch (values.kind) {
    case 'numbers':
      return numberBounds(values.items)
    case 'flags':
      return wholeBounds(values.items)
    case 'texts':
      return textBounds(values.items)
    case 'wideDecimals':
      return wideBounds(values.items)
    case 'bytes':
      return { hasNan: false }
  }
}

/** The bounds of texts that hold each different text once or more. */
export function textBounds(texts: readonly string[]): ValueBounds {
  const first = texts[0]
  if (first === undefined) return { hasNan: false }
  let min = first
  let max = first
  for (const text of texts) {
    if (compareText(text, min) < 0) min = text
    else if (compareText(text, max) > 0) max = text
  }
  return { hasNan: false, range: { min, max } }
}

/** The bounds of both. */
export function mergeBounds(a: ValueBounds, b: ValueBounds): ValueBounds {
  const hasNan = a.hasNan || b.hasNan
  if (a.range === undefined || b.range === undefined) {
    return { hasNan, ...((a.range ?? b.range) ? { range: a.range ?? b.range! } : {}) }
  }
  const min = compare(a.range.min, b.range.min) <= 0 ? a.range.min : b.range.min
  const max = compare(a.range.max, b.range.max) >= 0 ? a.range.max : b.range.max
  return { hasNan, range: { min, max } }
}

function compare(a: number | bigint | string, b: number | bigint | string): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

function numberBounds(items: NumberValues): ValueBounds {
  if (items instanceof BigInt64Array) return longBounds(items)
  if (items instanceof Int32Array) return wholeBounds(items)
  if (items.length === 0) return { hasNan: false }
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < items.length; i++) {
    min = Math.min(min, items[i]!)
    max = Math.max(max, items[i]!)
  }
  // NaN, which both keep, has no place in the order: a range would hide rows from a reader that gives
  // it one.
  return Number.isNaN(min) ? { hasNan: true } : { hasNan: false, range: { min, max } }
}

function wholeBounds(items: Int32Array | Uint8Array): ValueBounds {
  if (items.length === 0) return { hasNan: false }
  let min = items[0]!
  let max = min
  for (let i = 1; i < items.length; i++) {
    const value = items[i]!
    if (value < min) min = value
    if (value > max) max = value
  }
  return { hasNan: false, range: { min, max } }
}

/** By halves of 32 bits, since comparing `bigint` allocates. */
function longBounds(items: BigInt64Array): ValueBounds {
  if (items.length === 0) return { hasNan: false }
  const words = new Int32Array(items.buffer, items.byteOffset, items.length * 2)
  let minAt = 0
  let maxAt = 0
  let minHigh = words[1]!
  let minLow = words[0]! >>> 0
  let maxHigh = minHigh
  let maxLow = minLow
  for (let i = 2; i < words.length; i += 2) {
    const low = words[i]! >>> 0
    const high = words[i + 1]!
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minHigh = high
      minLow = low
      minAt = i
    } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxHigh = high
      maxLow = low
      maxAt = i
    }
  }
  return { hasNan: false, range: { min: items[minAt / 2]!, max: items[maxAt / 2]! } }
}

function wideBounds(items: readonly bigint[]): ValueBounds {
  const first = items[0]
  if (first === undefined) return { hasNan: false }
  let min = first
  let max = first
  for (const value of items) {
    if (value < min) min = value
    if (value > max) max = value
  }
  return { hasNan: false, range: { min, max } }
}

/**
 * The bounds as the footer has them, in the plain encoding. A zero bound covers both zeros: -0 below,
 * +0 above. Source: parquet.thrift, "ColumnOrder".
 */
export function footerBounds(
  { range, hasNan }: ValueBounds,
  layout: ColumnLayout,
): ChunkBounds | undefined {
  if (range === undefined || hasNan) return undefined
  const min = plainBytes(range.min === 0 && isFloating(layout) ? -0 : range.min, layout)
  const max = plainBytes(range.max === 0 && isFloating(layout) ? 0 : range.max, layout)
  return min === undefined || max === undefined ? undefined : { min, max }
}

function isFloating({ physical }: ColumnLayout): boolean {
  return physical === 'double' || physical === 'float'
}

function plainBytes(value: number | bigint | string, layout: ColumnLayout): Uint8Array | undefined {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8')
    return bytes.length > longestFooterText ? undefined : bytes
  }
  const bytes = new Uint8Array(layout.typeLength ?? 8)
  const view = new DataView(bytes.buffer)
  switch (layout.physical) {
    case 'boolean':
      return Uint8Array.of(Number(value))
    case 'int32':
      view.setInt32(0, Number(value), true)
      return bytes.subarray(0, 4)
    case 'float':
      view.setFloat32(0, Number(value), true)
      return bytes.subarray(0, 4)
    case 'double':
      view.setFloat64(0, Number(value), true)
      return bytes
    case 'int64':
      view.setBigInt64(0, BigInt(value), true)
      return bytes
    default:
      view.setBigInt64(0, BigInt(value) >> 64n)
      view.setBigUint64(8, BigInt.asUintN(64, BigInt(value)))
      return bytes
  }
}

/** The bounds as texts in the form that the engine would report. */
export function boundsReport(
  { range, hasNan }: ValueBounds,
  type: DeltaType,
  nullCount: number,
): ColumnReport {
  const counts = type === 'double' || type === 'float' ? { nullCount, hasNan } : { nullCount }
  if (range === undefined) return counts
  return { ...counts, min: boundText(range.min, type), max: boundText(range.max, type) }
}

function boundText(value: number | bigint | string, type: DeltaType): string {
  if (typeof type !== 'string') {
    return type.type === 'decimal' ? decimalText(BigInt(value), type.scale) : ''
  }
  switch (type) {
    case 'date':
      return timeText(Number(value) * 86_400_000).slice(0, 10)
    case 'timestamp':
      return withZone(timeText(floorMs(BigInt(value))))
    case 'timestamp_ntz':
      return timeText(floorMs(BigInt(value)))
    default:
      return String(value)
  }
}

function withZone(text: string): string {
  return text === '' ? '' : `${text}+00`
}

function floorMs(micros: bigint): number {
  const ms = micros / 1000n
  return Number(micros < 0n && micros % 1000n !== 0n ? ms - 1n : ms)
}

/** Empty, which makes no bound, outside the years 1 to 9999. */
function timeText(ms: number): string {
  const isInRange = ms >= -62_135_596_800_000 && ms < 253_402_300_800_000
  return isInRange ? new Date(ms).toISOString().replace('T', ' ').slice(0, 23) : ''
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
