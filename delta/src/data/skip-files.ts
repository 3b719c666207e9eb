import type { AddFile } from '../log/actions.ts'
import { physicalName } from '../schema/column-mapping.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import type { StatisticValue } from './statistics.ts'
import { parseStatistics } from './statistics.ts'
import { compareText } from './text-order.ts'

/** A bound of a range. In date and timestamp columns: a `Date`, or ISO text (UTC unless it says more). */
export type RangeBound = string | number | bigint | Date

/** The rows wanted: every condition must hold. */
export interface FileFilter {
  /** Partition column to the values wanted, as text. */
  readonly partition?: Readonly<Record<string, readonly string[]>>
  /** Column to the values wanted, both ends included. A range never wants null. */
  readonly ranges?: Readonly<
    Record<string, { readonly min?: RangeBound; readonly max?: RangeBound }>
  >
  /**
   * The schema of the snapshot. It tells text columns from times for sure; without it, texts that look
   * like times are times. Needed where the table maps columns to other names (`delta.columnMapping`).
   */
  readonly schema?: DeltaSchema
}

/**
 * The files that may hold a wanted row, by partition values and statistics. A file without usable
 * statistics is kept.
 */
export function skipFiles(files: readonly AddFile[], filter: FileFilter): readonly AddFile[] {
  const fieldOf = new Map(filter.schema?.fields.map((field) => [field.name, field]))
  // A table that maps columns keeps partition values and statistics under their physical names.
  const keyOf = (name: string) => {
    const field = fieldOf.get(name)
    return field === undefined ? name : physicalName(field, 'name')
  }
  const partition = Object.entries(filter.partition ?? {}).map(
    ([name, values]) => [keyOf(name), new Set(values)] as const,
  )
  const ranges = Object.entries(filter.ranges ?? {}).map(
    ([name, range]) => [keyOf(name), range, fieldOf.get(name)?.type === 'string'] as const,
  )
  return files.filter((file) => {
    for (const [name, wanted] of partition) {
      const value = file.partitionValues[name]
      if (value !== undefined && (value === null || !wanted.has(value))) return false
    }
    return ranges.every(([name, range, isText]) => mayOverlap(file, name, range, isText))
  })
}

function mayOverlap(
  file: AddFile,
  name: string,
  range: { readonly min?: RangeBound; readonly max?: RangeBound },
  isText: boolean,
): boolean {
  const partitionValue = file.partitionValues[name]
  if (partitionValue === null) return false
  const statistics = partitionValue === undefined ? parseStatistics(file) : undefined
  const isAllNull =
    statistics?.numRecords !== undefined && statistics.nullCount.get(name) === statistics.numRecords
  if (isAllNull) return false
  const low = partitionValue ?? statistics?.minValues.get(name)
  const high = partitionValue ?? statistics?.maxValues.get(name)
  if (low !== undefined && range.max !== undefined) {
    const order = compareBound(low, range.max, isText, 0)
    if (order !== undefined && order > 0) return false
  }
  if (high !== undefined && range.min !== undefined) {
    // Timestamps were cut to milliseconds, so the true maximum may be up to 1 ms later.
    const order = compareBound(high, range.min, isText, 1)
    if (order !== undefined && order < 0) return false
  }
  return true
}

/** Sign of statistic − bound, or undefined if they are not comparable. */
function compareBound(
  statistic: StatisticValue,
  bound: RangeBound,
  isText: boolean,
  toleranceMs: number,
): number | undefined {
  if (typeof statistic === 'string' && !isText) {
    const instant = instantMs(statistic)
    const wanted = bound instanceof Date ? bound.getTime() : instantMs(bound)
    if (instant !== undefined && wanted !== undefined) return instant + toleranceMs - wanted
    if (typeof bound === 'number' || typeof bound === 'bigint') {
      return /^-?\d+$/.test(statistic) ? compareOrdered(BigInt(statistic), bound) : undefined
    }
  }
  if (bound instanceof Date) return undefined
  if (typeof statistic === 'string') {
    return typeof bound === 'string' ? compareText(statistic, bound) : undefined
  }
  if (typeof bound === 'string') return undefined
  // A decimal may have been rounded to the nearest double; rounding the bound too keeps the order.
  return compareOrdered(statistic, typeof statistic === 'number' ? Number(bound) : bound)
}

/** NaN compares as equal, which never skips a file. */
function compareOrdered(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}

const instantForm =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/** Milliseconds of a date (its midnight) or time; without a zone it is UTC. */
function instantMs(value: StatisticValue | Date): number | undefined {
  const parts = typeof value === 'string' ? instantForm.exec(value) : null
  if (parts === null) return undefined
  const zone = parts[3] ?? 'Z'
  // A zone of hours alone is what the engine gives; Date.parse wants minutes too.
  const offset = zone.length === 3 ? `${zone}:00` : zone
  const ms = Date.parse(`${parts[1]}T${parts[2] ?? '00:00'}${offset}`)
  return Number.isNaN(ms) ? undefined : ms
}
