import { NullNotAllowed } from '../errors.ts'
import type { DeltaField, DeltaSchema } from '../schema/schema.ts'
import { sqlName, sqlText } from './sql-text.ts'

/** Begins the engine's message when a guard stops a write. */
const guardMark = 'delta: null in required column '

/**
 * A WHERE clause, or nothing, that lets every row pass and stops the statement at a null in a column
 * that the schema declares as not nullable.
 * @param leftOut columns that the rows do not have
 */
export function requiredGuard(schema: DeltaSchema, leftOut: readonly string[]): string {
  const checks = schema.fields
    .filter(({ name }) => !leftOut.includes(name))
    .flatMap((field) => requiredPaths(field, sqlName(field.name), field.name))
    .map(
      ([sql, name]) =>
        `CASE WHEN ${sql} IS NULL THEN error(${sqlText(guardMark + name)}) ELSE true END`,
    )
  return checks.length === 0 ? '' : ` WHERE ${checks.join(' AND ')}`
}

/** The error of a guard as one of ours; others as they are. */
export function asNullNotAllowed(cause: unknown, table: string): unknown {
  const text = cause instanceof Error ? cause.message : ''
  const at = text.indexOf(guardMark)
  if (at < 0) return cause
  return nullNotAllowed(text.slice(at + guardMark.length).split('\n')[0] ?? '', table, cause)
}

/** The error for a null in a column that does not allow it. */
export function nullNotAllowed(column: string, table: string, cause?: unknown): NullNotAllowed {
  return new NullNotAllowed({
    table,
    where: `column ${column}`,
    what: 'is null in at least one row, and the table declares it as not nullable',
    fix: 'fill the value or leave the row out',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Fields that may not be null as long as all above them may not either. */
function requiredPaths(
  field: DeltaField,
  sql: string,
  name: string,
): readonly (readonly [string, string])[] {
  if (field.nullable) return []
  const inner =
    typeof field.type !== 'string' && field.type.type === 'struct'
      ? field.type.fields.flatMap((child) =>
          requiredPaths(child, `${sql}.${sqlName(child.name)}`, `${name}.${child.name}`),
        )
      : []
  return [[sql, name], ...inner]
}
