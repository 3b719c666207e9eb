import type { AddFile, Metadata } from '../log/actions.ts'
import type { DeltaField, DeltaSchema, DeltaType } from '../schema/schema.ts'
import { isRecord } from '../schema/schema.ts'
import type { FileReport } from './copy-report.ts'
import { columnKey } from './copy-report.ts'
import { boundTokens } from './statistics-bounds.ts'
import { compareText } from './text-order.ts'

/** Leaf columns that get statistics where the table does not say otherwise; the protocol's number. */
const defaultIndexedColumns = 32

/** A bound as JSON holds it; whole numbers past 2^53 are `bigint`. */
export type StatisticValue = string | number | bigint

/** Statistics of one file, by top-level column. Nested columns are left out. */
export interface FileStatistics {
  readonly numRecords?: number
  readonly minValues: ReadonlyMap<string, StatisticValue>
  readonly maxValues: ReadonlyMap<string, StatisticValue>
  readonly nullCount: ReadonlyMap<string, number>
}

/** A column with a single value per row, by its path from the top. */
export interface LeafColumn {
  readonly path: readonly string[]
  readonly type: DeltaType
}

/**
 * The data columns that get statistics: the first 32 leaves, or what the properties
 * `delta.dataSkippingNumIndexedCols` and `delta.dataSkippingStatsColumns` say.
 */
export function indexedColumns(schema: DeltaSchema, metadata: Metadata): readonly LeafColumn[] {
  const { configuration, partitionColumns } = metadata
  const leaves = schema.fields
    .filter((field) => !partitionColumns.includes(field.name))
    .flatMap((field) => leavesOf(field, []))
  const named = configuration['delta.dataSkippingStatsColumns']
  if (named !== undefined) {
    const wanted = named.split(',').map((name) => name.trim().replaceAll('`', ''))
    return leaves.filter(({ path }) =>
      wanted.some((name) => `${path.join('.')}.`.startsWith(`${name}.`)),
    )
  }
  const count = Number(configuration['delta.dataSkippingNumIndexedCols'] ?? defaultIndexedColumns)
  return count < 0 || Number.isNaN(count) ? leaves : leaves.slice(0, count)
}

/** The `stats` text of a file: row count, bounds and null counts. */
export function statisticsText(columns: readonly LeafColumn[], report: FileReport): string {
  const minValues: TokenTree = new Map()
  const maxValues: TokenTree = new Map()
  const nullCount: TokenTree = new Map()
  for (const { path, type } of columns) {
    const column = report.columns.get(columnKey(path))
    if (column === undefined) continue
    if (column.nullCount !== undefined) setToken(nullCount, path, String(column.nullCount))
    const bounds = boundTokens(type, column)
    if (bounds === undefined) continue
    setToken(minValues, path, bounds.min)
    setToken(maxValues, path, bounds.max)
  }
  return (
    `{"numRecords":${report.rowCount},"minValues":${treeText(minValues)},` +
    `"maxValues":${treeText(maxValues)},"nullCount":${treeText(nullCount)}}`
  )
}

const parsed = new WeakMap<AddFile, FileStatistics | undefined>()

/**
 * The statistics of a file, or undefined if it has none that parse: statistics only ever save work,
 * so foreign forms are not an error, and parts that contradict themselves (a minimum above the
 * maximum, more nulls than rows) count as unknown. Parsed once per AddFile object. Where the table
 * maps columns, the names are the physical ones.
 */
export function parseStatistics(file: AddFile): FileStatistics | undefined {
  if (parsed.has(file)) return parsed.get(file)
  const statistics = file.stats === undefined ? undefined : parseText(file.stats)
  parsed.set(file, statistics)
  return statistics
}

function parseText(text: string): FileStatistics | undefined {
  let json: unknown
  try {
    json = parseExactly(text)
  } catch (cause) {
    // Lost: file skipping for this file. Some writers put NaN here, which is not JSON.
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
  return isRecord(json) ? consistent(json) : undefined
}

/** What does not contradict itself; the rest counts as unknown, so that it skips no file. */
function consistent(json: Readonly<Record<string, unknown>>): FileStatistics {
  const numRecords = isCount(json.numRecords) ? json.numRecords : undefined
  const minValues = flatEntries(json.minValues, isStatisticValue)
  const maxValues = flatEntries(json.maxValues, isStatisticValue)
  const nullCount = flatEntries(json.nullCount, isCount)
  for (const [name, min] of minValues) {
    const max = maxValues.get(name)
    if (max === undefined || isOrdered(min, max)) continue
    minValues.delete(name)
    maxValues.delete(name)
  }
  for (const [name, count] of nullCount) {
    if (numRecords !== undefined && count > numRecords) nullCount.delete(name)
  }
  return { ...(numRecords === undefined ? {} : { numRecords }), minValues, maxValues, nullCount }
}

function isOrdered(min: StatisticValue, max: StatisticValue): boolean {
  if (typeof min !== 'string' && typeof max !== 'string') return min <= max
  if (typeof min !== 'string' || typeof max !== 'string') return false
  // Times of other offsets do not compare as text.
  return compareText(min, max) <= 0 || /^\d{4}-\d\d-\d\d[T ]/.test(min)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** JSON.parse that keeps whole numbers past 2^53 as bigint. */
function parseExactly(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  const keepLarge: SourceReviver = (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
      ? BigInt(source ?? 0)
      : value
  return JSON.parse(text, keepLarge as (key: string, value: unknown) => unknown)
}

function flatEntries<T>(json: unknown, isWanted: (value: unknown) => value is T): Map<string, T> {
  const entries = new Map<string, T>()
  if (!isRecord(json)) return entries
  for (const [name, value] of Object.entries(json)) if (isWanted(value)) entries.set(name, value)
  return entries
}

function isStatisticValue(value: unknown): value is StatisticValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

function leavesOf(field: DeltaField, parents: readonly string[]): readonly LeafColumn[] {
  const path = [...parents, field.name]
  if (typeof field.type !== 'string' && field.type.type === 'struct') {
    return field.type.fields.flatMap((inner) => leavesOf(inner, path))
  }
  return [{ path, type: field.type }]
}

type TokenTree = Map<string, string | TokenTree>

function setToken(tree: TokenTree, path: readonly string[], token: string): void {
  let node = tree
  for (const name of path.slice(0, -1)) {
    const next = node.get(name)
    const child: TokenTree = next instanceof Map ? next : new Map()
    if (child !== next) node.set(name, child)
    node = child
  }
  const leaf = path.at(-1)
  if (leaf !== undefined) node.set(leaf, token)
}

function treeText(tree: TokenTree): string {
  const parts = [...tree].map(
    ([name, value]) => `${JSON.stringify(name)}:${value instanceof Map ? treeText(value) : value}`,
  )
  return `{${parts.join(',')}}`
}
