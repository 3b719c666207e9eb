import type { StatisticValue } from '../data/statistics.ts'
import { parseStatistics } from '../data/statistics.ts'
import { compareText } from '../data/text-order.ts'
import type { AddFile } from '../log/actions.ts'
import type { DeltaField, DeltaSchema } from '../schema/schema.ts'
import { daysOf, microsOf } from './calendar.ts'
import type { Comparison, Predicate } from './predicate.ts'
import { predicateField } from './predicate.ts'
import type { OrderedValue } from './predicate-value.ts'
import { columnValue } from './predicate-value.ts'

/** What a condition may be for the rows of a file: a set of `isTrue`, `isFalse`, `isUnknown`. */
type Outcomes = number
const isTrue = 1
const isFalse = 2
const isUnknown = 4
const anything = isTrue | isFalse | isUnknown

/** What is known about the values of a column in a file. */
interface ColumnRange {
  readonly low: OrderedValue
  readonly high: OrderedValue
  /** True if `low` and `high` are the value of every row: a partition value. */
  readonly isExact: boolean
  readonly mayBeNull: boolean
  readonly mayBeValue: boolean
}

/** What of a table the file belongs to matters for conditions. */
export interface TableShape {
  readonly schema: DeltaSchema
  readonly partitionColumns: readonly string[]
}

/**
 * False only if no row of the file can meet the condition, by partition values and statistics.
 * @throws InvalidPredicate for an unknown column or a value of another type
 */
export function mayMatch(file: AddFile, predicate: Predicate, shape: TableShape): boolean {
  return (outcomesOf(file, predicate, shape, true) & isTrue) !== 0
}

/**
 * True only if every row of the file meets the condition, by partition values alone: statistics of
 * other writers are good enough to save work, not to drop rows unread.
 */
export function matchesWhole(file: AddFile, predicate: Predicate, shape: TableShape): boolean {
  return outcomesOf(file, predicate, shape, false) === isTrue
}

function outcomesOf(
  file: AddFile,
  predicate: Predicate,
  shape: TableShape,
  usesStatistics: boolean,
): Outcomes {
  if ('sql' in predicate) return anything
  if ('not' in predicate) {
    const inner = outcomesOf(file, predicate.not, shape, usesStatistics)
    const swapped = (inner & isTrue ? isFalse : 0) | (inner & isFalse ? isTrue : 0)
    return swapped | (inner & isUnknown)
  }
  if ('and' in predicate || 'or' in predicate) {
    // AND ends at the first false, OR at the first true; unknown stays unless that decides.
    const [parts, decisive, neutral] =
      'and' in predicate ? [predicate.and, isFalse, isTrue] : [predicate.or, isTrue, isFalse]
    let result: Outcomes = neutral
    for (const part of parts) {
      result = combined(result, outcomesOf(file, part, shape, usesStatistics), decisive, neutral)
    }
    return result
  }
  const field = predicateField(predicate.column, shape.schema, '')
  const range = rangeOf(file, field, shape, usesStatistics)
  if ('isNull' in predicate) {
    const whenNull = predicate.isNull ? isTrue : isFalse
    const whenValue = predicate.isNull ? isFalse : isTrue
    return (range.mayBeNull ? whenNull : 0) | (range.mayBeValue ? whenValue : 0)
  }
  if ('in' in predicate && predicate.in.length === 0) return isFalse
  const ofNull = range.mayBeNull ? isUnknown : 0
  if (!range.mayBeValue) return ofNull
  if ('in' in predicate) {
    let result: Outcomes = isFalse
    for (const value of predicate.in) {
      const { ordered } = columnValue(field, value, '')
      result = combined(result, comparisonOutcomes(range, '=', ordered), isTrue, isFalse)
    }
    return result | ofNull
  }
  const { ordered } = columnValue(field, predicate.value, '')
  return comparisonOutcomes(range, predicate.is, ordered) | ofNull
}

function combined(a: Outcomes, b: Outcomes, decisive: number, neutral: number): Outcomes {
  let result = (a | b) & decisive
  if (a & neutral && b & neutral) result |= neutral
  const aIsOpen = a & (neutral | isUnknown)
  const bIsOpen = b & (neutral | isUnknown)
  if (aIsOpen && bIsOpen && (a | b) & isUnknown) result |= isUnknown
  return result
}

function comparisonOutcomes(range: ColumnRange, is: Comparison, value: OrderedValue): Outcomes {
  const low = sign(range.low, value)
  const high = sign(range.high, value)
  if (low === undefined && high === undefined) return isTrue | isFalse
  const mayBeBelow = low === undefined || low < 0
  const mayBeAbove = high === undefined || high > 0
  const mayBeEqual = (low === undefined || low <= 0) && (high === undefined || high >= 0)
  const truths: Readonly<Record<Comparison, readonly [boolean, boolean]>> = {
    '=': [mayBeEqual, mayBeBelow || mayBeAbove],
    '!=': [mayBeBelow || mayBeAbove, mayBeEqual],
    '<': [mayBeBelow, mayBeEqual || mayBeAbove],
    '<=': [mayBeBelow || mayBeEqual, mayBeAbove],
    '>': [mayBeAbove, mayBeBelow || mayBeEqual],
    '>=': [mayBeAbove || mayBeEqual, mayBeBelow],
  }
  const [mayBeTrue, mayBeFalse] = truths[is]
  // A bound is not always a value of the file, and a lying one must not make a file match whole.
  const isFalseToo = mayBeFalse || !range.isExact
  return (mayBeTrue ? isTrue : 0) | (isFalseToo ? isFalse : 0)
}

/** Sign of bound − value, or undefined if either is not known or they do not compare. */
function sign(bound: OrderedValue, value: OrderedValue): number | undefined {
  if (bound === undefined || value === undefined) return undefined
  if (typeof bound === 'string' || typeof value === 'string') {
    if (typeof bound !== 'string' || typeof value !== 'string') return undefined
    return compareText(bound, value)
  }
  if (bound < value) return -1
  return bound > value ? 1 : 0
}

function rangeOf(
  file: AddFile,
  field: DeltaField,
  { partitionColumns }: TableShape,
  usesStatistics: boolean,
): ColumnRange {
  const unknown = { low: undefined, high: undefined, isExact: false }
  if (partitionColumns.includes(field.name)) {
    const text = file.partitionValues[field.name]
    if (text === null) return { ...unknown, isExact: true, mayBeNull: true, mayBeValue: false }
    const value = text === undefined ? undefined : orderedOf(field, text)
    if (value === undefined) return { ...unknown, mayBeNull: true, mayBeValue: true }
    const isExact = typeof field.type === 'string'
    const [low, high] = [lowered(field, value), isExact ? value : raised(field, value)]
    return { low, high, isExact, mayBeNull: false, mayBeValue: true }
  }
  const statistics = usesStatistics ? parseStatistics(file) : undefined
  if (statistics === undefined) return { ...unknown, mayBeNull: true, mayBeValue: true }
  const nullCount = statistics.nullCount.get(field.name)
  const min = statistics.minValues.get(field.name)
  const max = statistics.maxValues.get(field.name)
  // NaN is above every number, and some writers leave it out of the maximum.
  const isFloating = field.type === 'double' || field.type === 'float'
  return {
    low: min === undefined ? undefined : lowered(field, orderedOf(field, min)),
    high: max === undefined || isFloating ? undefined : raised(field, orderedOf(field, max)),
    isExact: false,
    mayBeNull: nullCount !== 0,
    mayBeValue: nullCount === undefined || nullCount !== statistics.numRecords,
  }
}

/** A decimal was rounded to the nearest double: at least the step between two doubles below it. */
function lowered(field: DeltaField, value: OrderedValue): OrderedValue {
  if (typeof field.type === 'string' || typeof value !== 'number') return value
  return value - Math.abs(value) * Number.EPSILON
}

/** As `lowered`; and timestamps were cut to milliseconds, so a maximum may be up to 1 ms later. */
function raised(field: DeltaField, value: OrderedValue): OrderedValue {
  if (typeof field.type !== 'string') {
    return typeof value === 'number' ? value + Math.abs(value) * Number.EPSILON : value
  }
  const isTime = field.type === 'timestamp' || field.type === 'timestamp_ntz'
  return isTime && typeof value === 'bigint' ? value + 999n : value
}

/** A partition value or bound as it compares with `columnValue`'s; undefined where it does not parse. */
function orderedOf(field: DeltaField, value: StatisticValue): OrderedValue {
  const { type } = field
  if (typeof type !== 'string') {
    if (type.type !== 'decimal') return undefined
    const number = Number(value)
    return Number.isNaN(number) ? undefined : number
  }
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      if (typeof value !== 'string') return value
      return /^-?\d+$/.test(value) ? BigInt(value) : undefined
    case 'double':
    case 'float': {
      const number = typeof value === 'string' ? Number(value) : value
      if (!Number.isFinite(Number(number))) return undefined
      return type === 'float' ? Math.fround(Number(number)) : number
    }
    case 'boolean':
      return value === 'true' ? 1 : value === 'false' ? 0 : undefined
    case 'date':
      return typeof value === 'string' ? daysOf(value.slice(0, 10)) : undefined
    case 'timestamp':
    case 'timestamp_ntz':
      return typeof value === 'string' ? microsOf(value) : undefined
    default:
      return undefined
  }
}
