import type { DeltaType } from '../schema/schema.ts'
import type { ColumnReport } from './copy-report.ts'

/** Length at which string bounds are cut, in UTF-16 units; Spark's choice. */
const cutLength = 32

/** Bounds longer than this are left out rather than searched for a place to cut. */
const longestBound = 2 * cutLength

/** Lower and upper bound of a column as JSON text. */
export interface BoundTokens {
  readonly min: string
  readonly max: string
}

/**
 * The bounds in the form of Delta statistics, or undefined where the format has none: other types,
 * only nulls, NaN or infinite values, years that four digits do not hold.
 * Delta: "Per-file Statistics".
 */
export function boundTokens(type: DeltaType, report: ColumnReport): BoundTokens | undefined {
  const { min, max } = report
  if (min === undefined || max === undefined) return undefined
  const low = boundToken(type, min, report, cutMin)
  const high = boundToken(type, max, report, cutMax)
  return low === undefined || high === undefined ? undefined : { min: low, max: high }
}

function boundToken(
  type: DeltaType,
  text: string,
  report: ColumnReport,
  cut: (text: string) => string | undefined,
): string | undefined {
  if (typeof type !== 'string') {
    return type.type === 'decimal' && /^-?\d+(\.\d+)?$/.test(text) ? text : undefined
  }
  switch (type) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return /^-?\d+$/.test(text) ? text : undefined
    case 'double':
    case 'float': {
      const value = type === 'float' ? Math.fround(Number(text)) : Number(text)
      return report.hasNan === false && Number.isFinite(value) ? JSON.stringify(value) : undefined
    }
    case 'string': {
      const bound = cut(text)
      return bound === undefined ? undefined : JSON.stringify(bound)
    }
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? JSON.stringify(text) : undefined
    case 'timestamp': {
      const instant = instantText(text)
      return instant === undefined ? undefined : JSON.stringify(instant)
    }
    case 'timestamp_ntz': {
      const time = wallTime.exec(text)
      return time ? JSON.stringify(`${time[1]}T${time[2]}.${millis(time[3])}`) : undefined
    }
    default:
      return undefined
  }
}

const wallTime = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?$/
const instantTime = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-]\d\d)(?::?(\d\d))?$/

/** A SQL instant in UTC with milliseconds; what is below a millisecond is cut, so the result is ≤ it. */
function instantText(text: string): string | undefined {
  const parts = instantTime.exec(text)
  if (parts === null) return undefined
  const [, day, time, fraction, hours, minutes] = parts
  const offset = `${hours}:${minutes ?? '00'}`
  const ms = Date.parse(`${day}T${time}.${millis(fraction)}${offset}`)
  const iso = Number.isNaN(ms) ? '' : new Date(ms).toISOString()
  return iso.length === 24 ? iso : undefined
}

function millis(fraction: string | undefined): string {
  return (fraction ?? '').slice(0, 3).padEnd(3, '0')
}

/** A prefix is never above the text. */
function cutMin(text: string): string {
  return text.slice(0, cutIndex(text))
}

/**
 * The text, or a prefix and one more character that lifts it above every text with that prefix.
 * Source: Spark's `truncateMaxStringAgg`.
 */
function cutMax(text: string): string | undefined {
  if (text.length <= cutLength) return text
  let end = cutIndex(text)
  while (end <= longestBound) {
    if (end >= text.length) return text
    if (text.codePointAt(end) === 0x10ffff) end += 2
    else if (text.charCodeAt(end) < 0x7f) return `${text.slice(0, end)}\u007f`
    else return `${text.slice(0, end)}\u{10ffff}`
  }
  return undefined
}

/** Where to cut so that no surrogate pair is split. */
function cutIndex(text: string): number {
  const unit = text.charCodeAt(cutLength - 1)
  const splitsPair = text.length > cutLength && unit >= 0xd800 && unit < 0xdc00
  return splitsPair ? cutLength + 1 : Math.min(cutLength, text.length)
}
