import type { DeltaField, DeltaType } from '@isotherm/delta'
import { type Chapter, fulfils, type Predicate } from './random-story.ts'
import { field } from './random-values.ts'
import {
  canonicalRow,
  compareUtf8,
  compareValues,
  dateText,
  type Row,
  type Value,
} from './values.ts'

/** Whose SQL to speak. */
export type Dialect = 'spark' | 'datafusion' | 'clickhouse' | 'duckdb'

/** What an engine is asked about one version of a table, and what it must answer. */
export type Question = {
  readonly topic: 'rows' | 'aggregates' | 'filters'
  /** The table is called `t`. */
  readonly sql: (dialect: Dialect) => string
  /** Columns of the answer. */
  readonly fields: readonly DeltaField[]
  /** Rows of the answer in canonical spelling, sorted. */
  readonly expected: readonly string[]
}

const wholeTypes = ['long', 'integer', 'short', 'byte']
const exactSum = { type: 'decimal', precision: 38, scale: 0 } as const

/** Rows, then counts, sums and extremes, then counts of rows that fulfil predicates. */
export function questionsAbout(
  { fields, rows }: Pick<Chapter, 'fields' | 'rows'>,
  predicates: readonly Predicate[],
): readonly Question[] {
  const questions = [rowsQuestion(fields, rows), aggregatesQuestion(fields, rows)]
  if (predicates.length > 0) questions.push(filtersQuestion(fields, rows, predicates))
  return questions
}

function rowsQuestion(fields: readonly DeltaField[], rows: readonly Row[]): Question {
  return {
    topic: 'rows',
    sql: (dialect) => `SELECT ${fields.map(({ name }) => nameIn(dialect, name)).join(', ')} FROM t`,
    fields,
    expected: rows.map((row) => canonicalRow(fields, row)).toSorted(compareUtf8),
  }
}

type Aggregate = {
  readonly field: DeltaField
  readonly sql: (dialect: Dialect) => string
  readonly value: Value
}

function aggregatesQuestion(fields: readonly DeltaField[], rows: readonly Row[]): Question {
  const aggregates: Aggregate[] = [
    { field: field('n', 'long'), sql: () => 'count(*)', value: BigInt(rows.length) },
  ]
  fields.forEach((column, i) => {
    const values = rows.map((row) => row[i] ?? null).filter((value) => value !== null)
    aggregates.push({
      field: field(`count_${i}`, 'long'),
      sql: (dialect) => `count(${nameIn(dialect, column.name)})`,
      value: BigInt(values.length),
    })
    if (isOrdered(column.type)) aggregates.push(...extremes(column, i, values))
    if (wholeTypes.includes(String(column.type)) && values.length > 0) {
      aggregates.push({
        field: field(`sum_${i}`, exactSum),
        sql: (dialect) => `sum(${exactIn(dialect, nameIn(dialect, column.name))})`,
        value: values.reduce((sum: bigint, value) => sum + (value as bigint), 0n),
      })
    }
  })
  const answer = aggregates.map((aggregate) => aggregate.field)
  const row = aggregates.map(({ value }) => value)
  const sql = (dialect: Dialect) =>
    `SELECT ${aggregates.map((one) => `${one.sql(dialect)} AS ${one.field.name}`).join(', ')} FROM t`
  return { topic: 'aggregates', sql, fields: answer, expected: [canonicalRow(answer, row)] }
}

function extremes(column: DeltaField, i: number, values: readonly Value[]): readonly Aggregate[] {
  // Engines differ on where NaN stands and on the sign of zero, so those columns are left out.
  const isFloating = column.type === 'double' || column.type === 'float'
  if (values.length === 0) return []
  if (isFloating && values.some((value) => Number.isNaN(value) || value === 0)) return []
  const least = values.reduce((best, value) => (compareValues(value, best) < 0 ? value : best))
  const most = values.reduce((best, value) => (compareValues(value, best) > 0 ? value : best))
  const aggregate = (call: string, value: Value): Aggregate => ({
    field: field(`${call}_${i}`, column.type),
    sql: (dialect) => `${call}(${nameIn(dialect, column.name)})`,
    value,
  })
  return [aggregate('min', least), aggregate('max', most)]
}

function isOrdered(type: DeltaType): boolean {
  if (typeof type === 'object') return type.type === 'decimal'
  return type !== 'boolean' && type !== 'binary' && type !== 'void'
}

function filtersQuestion(
  fields: readonly DeltaField[],
  rows: readonly Row[],
  predicates: readonly Predicate[],
): Question {
  const answer = [field('number', 'long'), field('n', 'long')]
  const sql = (dialect: Dialect) =>
    predicates
      .map((one, i) => {
        const where = predicateSql(dialect, fields, one)
        return `SELECT ${i} AS number, count(*) AS n FROM t WHERE ${where}`
      })
      .join(' UNION ALL ')
  const expected = predicates.map((one, i) => {
    const count = rows.filter((row) => fulfils(row, one)).length
    return canonicalRow(answer, [BigInt(i), BigInt(count)])
  })
  return { topic: 'filters', sql, fields: answer, expected: expected.toSorted(compareUtf8) }
}

/** The predicate in an engine's SQL. Its text values stand without escape. */
export function predicateSql(
  dialect: Dialect,
  fields: readonly DeltaField[],
  { column, operator, value }: Predicate,
): string {
  const { name, type } = fields[column] ?? field('', 'void')
  const left = nameIn(dialect, name)
  if (operator === 'is null') return `${left} IS NULL`
  if (type === 'date') return `${left} ${operator} ${dateIn(dialect, value as bigint)}`
  return `${left} ${operator} ${typeof value === 'string' ? `'${value}'` : value}`
}

function dateIn(dialect: Dialect, days: bigint): string {
  const text = `'${dateText(days)}'`
  return dialect === 'clickhouse' ? `toDate32(${text})` : `DATE ${text}`
}

function nameIn(dialect: Dialect, name: string): string {
  return dialect === 'spark' ? `\`${name}\`` : `"${name}"`
}

function exactIn(dialect: Dialect, expression: string): string {
  const type = 'DECIMAL(38,0)'
  return dialect === 'clickhouse'
    ? `CAST(${expression} AS Nullable(${type}))`
    : `CAST(${expression} AS ${type})`
}
