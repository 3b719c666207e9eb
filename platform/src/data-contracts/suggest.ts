import type { Column, ColumnType, ServiceLevel, TableContract } from '../contracts/index.ts'
import type { ColumnProfile, RowProfile } from './row-profile.ts'

/** What to call a suggested contract, and how much room to leave. */
export type SuggestOptions = {
  /** Table name, snake_case. */
  readonly name: string
  /** Where the rows came from, for the purpose: "pumps.csv". */
  readonly origin: string
  /** Units of columns whose names say none, by name in the rows. */
  readonly units?: Readonly<Record<string, string>>
  /** Room on both sides of the seen range, as a share of its width; default 0.5. */
  readonly margin?: number
}

/** Nulls may rise by 5 percentage points, the limit of CON-46 and E2.8. */
const nullRoom = 0.05
/** A whole number with at most this many values is a state: no room beside what was seen. */
const mostStates = 8
/** Longest pause: this many times the longest seen, and at least so many beats. */
const pauseRoom = 2
const fewestBeats = 3

const unitWords: readonly (readonly [RegExp, string])[] = [
  [/deg(rees)?[ _]?f\b|°f|fahrenheit|_f$/i, '°F'],
  [/deg(rees)?[ _]?c\b|°c|celsius|_c$/i, '°C'],
  [/\bkelvin\b|\[k\]|\(k\)|_k$/i, 'K'],
  [/\bkpa\b|_kpa/i, 'kPa'],
  [/\bpsi\b|_psi/i, 'psi'],
  [/\bbar\b|_bar$/i, 'bar'],
  [/\brpm\b|_rpm/i, 'rpm'],
  [/\bnm\b|_nm$/i, 'Nm'],
  [/\bkwh\b|_kwh/i, 'kWh'],
  [/\bkw\b|_kw$/i, 'kW'],
  [/\bamps?\b|\(a\)|\[a\]/i, 'A'],
  [/%|percent|_pct$/i, '%'],
  [/mm\/s/i, 'mm/s'],
  [/\(min\)|\[min\]|_min(utes)?$/i, 'min'],
]

/** Unit that a column name or header spells out, or undefined. */
export function unitOfName(name: string): string | undefined {
  return unitWords.find(([pattern]) => pattern.test(name.trim()))?.[1]
}

/** A header as a column name: "AHU: Fan Status " becomes `ahu_fan_status`. */
export function snakeCase(header: string): string {
  const name = header
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
  if (name === '') return 'column'
  return /^[0-9]/.test(name) ? `c_${name}` : name
}

function uniqueNames(headers: readonly string[]): readonly string[] {
  const taken = new Set<string>()
  return headers.map((header) => {
    const base = snakeCase(header)
    let name = base
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`
    taken.add(name)
    return name
  })
}

/** Rounds outward to three significant digits of the width, so that ranges read well. */
function roundedOut(low: number, high: number): readonly [number, number] {
  const width = high - low || Math.abs(high) || 1
  const digits = Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(width))))
  const step = 10 ** digits
  return [Math.floor(low * step) / step, Math.ceil(high * step) / step]
}

function rangeWithRoom(
  { range, distinctCount }: ColumnProfile,
  type: ColumnType,
  margin: number,
): readonly [number, number] | undefined {
  if (range === undefined) return undefined
  const [low, high] = range
  const isWhole = type === 'integer' || type === 'long'
  if (isWhole && distinctCount > 1 && distinctCount <= mostStates) return range
  // A constant says nothing of its width: a tenth of it stands in.
  const room = high > low ? margin * (high - low) : Math.max(Math.abs(high) / 10, isWhole ? 1 : 0.1)
  if (isWhole) return [Math.floor(low - room), Math.ceil(high + room)]
  return roundedOut(low - room, high + room)
}

function fits32Bits({ range }: ColumnProfile): boolean {
  return range !== undefined && range[0] >= -(2 ** 30) && range[1] <= 2 ** 30
}

function columnOf(
  profile: ColumnProfile,
  name: string,
  { rowCount, key }: RowProfile,
  { units = {}, margin = 0.5 }: SuggestOptions,
): Column {
  const type = profile.type === 'long' && fits32Bits(profile) ? 'integer' : profile.type
  const isKey = key.includes(profile.name)
  const isNumber = type === 'double' || type === 'integer' || type === 'long'
  const unit = isNumber ? (units[profile.name] ?? unitOfName(profile.name)) : undefined
  const range = isKey ? undefined : rangeWithRoom(profile, type, margin)
  const seen = profile.nullCount / rowCount
  return {
    name,
    type,
    nullable: !isKey,
    meaning: `Values of ${profile.name.trim()}`,
    ...(unit !== undefined && { unit }),
    ...(range !== undefined && { range }),
    ...(!isKey && profile.values !== undefined && { values: profile.values }),
    ...(!isKey && { maxNullFraction: Math.min(1, Math.round((seen + nullRoom) * 1e4) / 1e4) }),
    ...(profile.name !== name && { physicalName: profile.name }),
  }
}

/**
 * A contract that a stretch of rows would keep: types, units where names say them, ranges with room,
 * null shares with 5 points of room, closed lists of few-valued texts, the key, and how often rows
 * come. A proposal for a person to read: what the stretch did not show, it does not know.
 */
export function suggestContract(profile: RowProfile, options: SuggestOptions): TableContract {
  const names = uniqueNames(profile.columns.map(({ name }) => name))
  const nameOf = (header: string) => {
    const index = profile.columns.findIndex(({ name }) => name === header)
    return names[index] ?? snakeCase(header)
  }
  const { medianGapSeconds, maxGapSeconds, timeColumn, rowCount } = profile
  const service: ServiceLevel | undefined =
    timeColumn === undefined || medianGapSeconds === undefined || maxGapSeconds === undefined
      ? undefined
      : {
          freshnessColumn: nameOf(timeColumn),
          cadenceSeconds: medianGapSeconds,
          maxGapSeconds: Math.max(fewestBeats * medianGapSeconds, pauseRoom * maxGapSeconds),
        }
  const key = profile.key.map(nameOf)
  return {
    name: options.name,
    id: options.name,
    version: '1.0.0',
    purpose: `Suggested from ${rowCount} rows of ${options.origin}`,
    columns: profile.columns.map((column, i) =>
      columnOf(column, names[i] ?? snakeCase(column.name), profile, options),
    ),
    key,
    partitionColumns: [],
    sortColumns: key,
    ...(service !== undefined && { service }),
  }
}
