import type { DuckDBConnection } from '@duckdb/node-api'
import {
  type Column,
  duckDbType,
  IsothermError,
  quoteName,
  type TableContract,
} from '../contracts/index.ts'
import { describeRows, gapsOf } from './row-profile.ts'

/** One way in which rows break a contract, or a column the contract does not know. */
export type RowViolation = {
  readonly rule:
    | 'column-missing'
    | 'column-undeclared'
    | 'unreadable'
    | 'null'
    | 'null-fraction'
    | 'not-finite'
    | 'range'
    | 'values'
    | 'key'
    | 'cadence'
    | 'gap'
    | 'no-rows'
  /** Fails the stretch; an undeclared column only warns, CON-2. */
  readonly severity: 'FAIL' | 'WARN'
  readonly column?: string
  readonly expected: string
  readonly found: string
}

/** What a look at a stretch of rows gave. */
export type RowVerdict = {
  readonly rowCount: number
  readonly isAccepted: boolean
  readonly violations: readonly RowViolation[]
}

/** How far the median time between rows may lie from the contract's, as a factor. */
const cadenceFactor = 1.5

const sourceName = ({ name, physicalName }: Column) => quoteName(physicalName ?? name)

/** A column read as its contract type; null where that cannot be done. */
function readSql(column: Column): string {
  return `TRY_CAST(${sourceName(column)} AS ${duckDbType(column)})`
}

function countsOf(column: Column, i: number): readonly string[] {
  const raw = sourceName(column)
  const value = readSql(column)
  // A cast to a whole number rounds: a fraction is another type, not another value.
  const isBroken =
    column.type === 'integer' || column.type === 'long'
      ? ` OR TRY_CAST(${raw} AS DOUBLE) <> trunc(TRY_CAST(${raw} AS DOUBLE))`
      : ''
  const unreadable = `(${raw} IS NOT NULL AND ${value} IS NULL)${isBroken}`
  const counts = [
    `count(*) FILTER (WHERE ${raw} IS NULL)::DOUBLE AS null_${i}`,
    `count(*) FILTER (WHERE ${unreadable})::DOUBLE AS unreadable_${i}`,
  ]
  if (column.type === 'double') {
    counts.push(`count(*) FILTER (WHERE NOT isfinite(${value}))::DOUBLE AS endless_${i}`)
  }
  if (column.range !== undefined) {
    const [low, high] = column.range
    const outside = `${value} NOT BETWEEN ${low} AND ${high}`
    counts.push(
      `count(*) FILTER (WHERE ${outside})::DOUBLE AS outside_${i}`,
      `min(${value})::DOUBLE AS low_${i}`,
      `max(${value})::DOUBLE AS high_${i}`,
    )
  }
  if (column.values !== undefined) {
    const list = column.values.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')
    const other = `${value} NOT IN (${list})`
    counts.push(
      `count(*) FILTER (WHERE ${other})::DOUBLE AS other_${i}`,
      `min(${value}) FILTER (WHERE ${other}) AS example_${i}`,
    )
  }
  return counts
}

type Counts = Readonly<Record<string, unknown>>

function columnViolations(
  column: Column,
  i: number,
  counts: Counts,
  rowCount: number,
): readonly RowViolation[] {
  const violations: RowViolation[] = []
  const { name, type, nullable, range, values, maxNullFraction } = column
  const count = (label: string) => Number(counts[`${label}_${i}`] ?? 0)
  const fail = (rule: RowViolation['rule'], expected: string, found: string) =>
    violations.push({ rule, severity: 'FAIL', column: name, expected, found })
  if (count('unreadable') > 0) fail('unreadable', type, `${count('unreadable')} other values`)
  const nulls = count('null')
  if (!nullable && nulls > 0) fail('null', 'no null', `${nulls} nulls`)
  if (nullable && maxNullFraction !== undefined && nulls > maxNullFraction * rowCount) {
    const share = (nulls / rowCount).toFixed(4)
    fail('null-fraction', `at most ${maxNullFraction} null`, `${share} null`)
  }
  if (count('endless') > 0) fail('not-finite', 'finite', `${count('endless')} NaN or infinite`)
  if (count('outside') > 0) {
    const found = `${count('outside')} values outside, ${counts[`low_${i}`]} to ${counts[`high_${i}`]}`
    fail('range', `${range?.[0]} to ${range?.[1]}`, found)
  }
  if (count('other') > 0) {
    fail(
      'values',
      values?.join(', ') ?? '',
      `${count('other')} others, as ${counts[`example_${i}`]}`,
    )
  }
  return violations
}

async function keyViolation(
  connection: DuckDBConnection,
  { key }: TableContract,
  relation: string,
  columns: readonly Column[],
): Promise<readonly RowViolation[]> {
  const parts = columns.filter(({ name }) => key.includes(name))
  if (parts.length < key.length) return []
  const list = parts.map(readSql).join(', ')
  const reader = await connection.runAndReadAll(
    `SELECT (count(*) - count(DISTINCT (${list})))::DOUBLE AS repeated FROM ${relation}`,
  )
  const repeated = Number(reader.getRowObjects()[0]?.repeated)
  if (repeated === 0) return []
  const expected = `${key.join(', ')} unique`
  return [{ rule: 'key', severity: 'FAIL', expected, found: `${repeated} rows repeat a key` }]
}

async function rhythmViolations(
  connection: DuckDBConnection,
  { key, service = {} }: TableContract,
  relation: string,
  columns: readonly Column[],
): Promise<readonly RowViolation[]> {
  const { freshnessColumn, cadenceSeconds, maxGapSeconds } = service
  if (cadenceSeconds === undefined && maxGapSeconds === undefined) return []
  const time = columns.find(({ name }) => name === freshnessColumn)
  if (time === undefined) return []
  const entities = columns.filter(({ name }) => key.includes(name) && name !== freshnessColumn)
  const gaps = await gapsOf(connection, relation, readSql(time), entities.map(sourceName))
  if (gaps === undefined) return []
  const violations: RowViolation[] = []
  const ratio = gaps.median / (cadenceSeconds ?? gaps.median)
  if (ratio > cadenceFactor || ratio < 1 / cadenceFactor) {
    const found = `${gaps.median} s, in the median`
    const expected = `a row each ${cadenceSeconds} s`
    violations.push({ rule: 'cadence', severity: 'FAIL', column: time.name, expected, found })
  }
  if (maxGapSeconds !== undefined && gaps.longest > maxGapSeconds) {
    const expected = `no pause above ${maxGapSeconds} s`
    const found = `a pause of ${gaps.longest} s`
    violations.push({ rule: 'gap', severity: 'FAIL', column: time.name, expected, found })
  }
  return violations
}

/**
 * Holds a stretch of rows against a contract: columns there and readable, nulls, ranges, values, the
 * key and the rhythm. Two passes over the rows, one more for the rhythm; the connection's `TimeZone`
 * should be UTC.
 * @param relation SQL for a FROM clause; its columns carry physical names where the contract has them
 */
export async function checkRows(
  connection: DuckDBConnection,
  contract: TableContract,
  relation: string,
): Promise<RowVerdict> {
  const described = await describeRows(connection, relation)
  const there = new Set(described.map(({ name }) => name))
  const columns = contract.columns.filter((one) => there.has(one.physicalName ?? one.name))
  const declared = new Set(contract.columns.map((one) => one.physicalName ?? one.name))
  const missing = contract.columns.filter((one) => !there.has(one.physicalName ?? one.name))
  const violations: RowViolation[] = [
    ...missing.map(
      ({ name, physicalName }): RowViolation => ({
        rule: 'column-missing',
        severity: 'FAIL',
        column: name,
        expected: `a column ${physicalName ?? name}`,
        found: 'none',
      }),
    ),
    ...[...there]
      .filter((name) => !declared.has(name))
      .map(
        (name): RowViolation => ({
          rule: 'column-undeclared',
          severity: 'WARN',
          column: name,
          expected: 'declared columns only',
          found: 'a column the contract does not know',
        }),
      ),
  ]
  if (columns.length === 0) {
    throw new IsothermError('INPUT_INVALID', `the rows have no column of ${contract.name}`)
  }
  const counted = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE AS row_count, ${columns.flatMap(countsOf).join(', ')} FROM ${relation}`,
  )
  const counts: Counts = counted.getRowObjects()[0] ?? {}
  const rowCount = Number(counts.row_count)
  if (rowCount === 0) {
    violations.push({ rule: 'no-rows', severity: 'FAIL', expected: 'rows', found: 'none' })
  } else {
    violations.push(
      ...columns.flatMap((column, i) => columnViolations(column, i, counts, rowCount)),
      ...(await keyViolation(connection, contract, relation, columns)),
      ...(await rhythmViolations(connection, contract, relation, columns)),
    )
  }
  return {
    rowCount,
    isAccepted: violations.every(({ severity }) => severity !== 'FAIL'),
    violations,
  }
}
