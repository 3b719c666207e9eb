import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlName, sqlText } from '../data/sql-text.ts'
import { InvalidPredicate } from '../errors.ts'
import type { DeltaSchema } from '../schema/schema.ts'
import { isRecord } from '../schema/schema.ts'
import type { Predicate } from './predicate.ts'
import { predicateField, sqlPartsOf } from './predicate.ts'
import { columnValue } from './predicate-value.ts'

/**
 * The condition as a SQL expression in parentheses over columns with the names of the schema.
 * `sql` parts are taken as they are: call `checkSqlParts` first.
 * @throws InvalidPredicate for an unknown column or a value of another type
 */
export function predicateSql(predicate: Predicate, schema: DeltaSchema, table: string): string {
  if ('sql' in predicate) return `(${predicate.sql}\n)`
  if ('and' in predicate) return joined(predicate.and, 'AND', schema, table)
  if ('or' in predicate) return joined(predicate.or, 'OR', schema, table)
  if ('not' in predicate) return `(NOT ${predicateSql(predicate.not, schema, table)})`
  const field = predicateField(predicate.column, schema, table)
  const name = sqlName(field.name)
  if ('isNull' in predicate) return `(${name} IS ${predicate.isNull ? '' : 'NOT '}NULL)`
  if ('in' in predicate) {
    if (predicate.in.length === 0) return '(false)'
    const values = predicate.in.map((value) => columnValue(field, value, table).sql)
    return `(${name} IN (${values.join(', ')}))`
  }
  return `(${name} ${predicate.is} ${columnValue(field, predicate.value, table).sql})`
}

function joined(
  parts: readonly Predicate[],
  word: 'AND' | 'OR',
  schema: DeltaSchema,
  table: string,
): string {
  if (parts.length === 0) return word === 'AND' ? '(true)' : '(false)'
  return `(${parts.map((part) => predicateSql(part, schema, table)).join(` ${word} `)})`
}

/**
 * Refuses `sql` parts that are not one plain expression: a second statement or column, a FROM, a
 * subquery. The engine's own parser decides.
 * @throws InvalidPredicate
 */
export async function checkSqlParts(
  connection: DuckDBConnection,
  predicate: Predicate,
  table: string,
): Promise<void> {
  for (const sql of sqlPartsOf(predicate)) {
    const problem = await problemOf(connection, sql)
    if (problem === undefined) continue
    throw new InvalidPredicate({
      table,
      where: `condition ${sql.slice(0, 80)}`,
      what: 'is not one plain SQL expression',
      found: problem,
      fix: 'write one expression over columns of the table, without subqueries',
    })
  }
}

async function problemOf(connection: DuckDBConnection, sql: string): Promise<string | undefined> {
  const statement = `SELECT (${sql}\n)`
  const serialized = `SELECT json_serialize_sql(${sqlText(statement)})`
  const rows = (await connection.runAndReadAll(serialized)).getRowsJson()
  const parsed: unknown = JSON.parse(String(rows[0]?.[0]))
  if (!isRecord(parsed)) return 'nothing that parses'
  if (parsed.error === true) return String(parsed.error_message)
  const statements = Array.isArray(parsed.statements) ? parsed.statements : []
  const node: unknown = isRecord(statements[0]) ? statements[0].node : undefined
  if (statements.length !== 1 || !isRecord(node)) return `${statements.length} statements`
  const columns = Array.isArray(node.select_list) ? node.select_list : []
  if (columns.length !== 1) return `${columns.length} expressions`
  const isBare =
    isRecord(node.from_table) &&
    node.from_table.type === 'EMPTY' &&
    node.where_clause === null &&
    node.having === null &&
    node.qualify === null &&
    Array.isArray(node.modifiers) &&
    node.modifiers.length === 0
  if (!isBare) return 'more clauses than an expression has'
  return holdsSubquery(columns[0]) ? 'a subquery' : undefined
}

function holdsSubquery(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(holdsSubquery)
  if (!isRecord(node)) return false
  return node.class === 'SUBQUERY' || Object.values(node).some(holdsSubquery)
}
