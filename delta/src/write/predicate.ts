import { InvalidPredicate } from '../errors.ts'
import type { DeltaField, DeltaSchema } from '../schema/schema.ts'

/** How a column is compared with a value, as in SQL: a null column is neither true nor false. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='

/**
 * A value to compare with. Times: a `Date`, ISO text (UTC without a zone), a number of milliseconds
 * or a bigint of microseconds since 1970. Dates: a `Date` or ISO text. Decimals: text keeps every
 * digit. Binary: bytes.
 */
export type PredicateValue = string | number | bigint | boolean | Date | Uint8Array

/**
 * A condition on rows, as plain data: it becomes SQL with every value quoted, and the same condition
 * skips files by partition values and statistics. Columns are top-level columns of the table.
 * `sql` is for what the other forms cannot say (functions, nested fields, two columns): one expression
 * without subqueries, which skips no files. As in SQL a condition is true, false or unknown (null);
 * only rows for which it is true are meant.
 */
export type Predicate =
  | { readonly column: string; readonly is: Comparison; readonly value: PredicateValue }
  | { readonly column: string; readonly in: readonly PredicateValue[] }
  | { readonly column: string; readonly isNull: boolean }
  | { readonly and: readonly Predicate[] }
  | { readonly or: readonly Predicate[] }
  | { readonly not: Predicate }
  | { readonly sql: string }

/**
 * The column a condition speaks of.
 * @throws InvalidPredicate if the table has none of this name
 */
export function predicateField(name: string, schema: DeltaSchema, table: string): DeltaField {
  const field = schema.fields.find((candidate) => candidate.name === name)
  if (field !== undefined) return field
  throw new InvalidPredicate({
    table,
    where: `condition on column ${name}`,
    what: 'is not a column of the table',
    expected: schema.fields.map((candidate) => candidate.name).join(', '),
    found: name,
    fix: 'use a top-level column; for a nested field write an sql condition',
  })
}

/** The SQL expressions inside a condition. */
export function sqlPartsOf(predicate: Predicate): readonly string[] {
  if ('sql' in predicate) return [predicate.sql]
  if ('and' in predicate) return predicate.and.flatMap(sqlPartsOf)
  if ('or' in predicate) return predicate.or.flatMap(sqlPartsOf)
  return 'not' in predicate ? sqlPartsOf(predicate.not) : []
}
