import type { DuckDBConnection } from '@duckdb/node-api'
import { LogCorrupt } from '../errors.ts'
import type { TextOrigin } from './action-json.ts'

/** Between the texts of a column. JSON and URIs hold this character in escaped form only. */
const separator = '\u001e'

/** Rows whose texts are joined: few enough for any memory, enough to make their number cheap. */
const joinedRows = 16_384

/**
 * The texts of SQL expressions over the rows of a Parquet file, an array per expression, empty for
 * null. They leave the engine joined: a call and an object for each would be most of the time that
 * opening a large table takes.
 * @param source the FROM clause, with `file_row_number`
 * @throws LogCorrupt if a text holds the separator
 */
export async function joinedTexts(
  connection: DuckDBConnection,
  { source, where }: { readonly source: string; readonly where: string },
  expressions: readonly string[],
  origin: TextOrigin,
): Promise<readonly (readonly string[])[]> {
  const named = expressions.map((sql, i) => `(${sql})::VARCHAR AS text_${i}`)
  const joined = expressions.map(
    (_, i) =>
      `CASE WHEN count(text_${i}) > 0
         THEN string_agg(coalesce(text_${i}, ''), chr(${separator.charCodeAt(0)})) END`,
  )
  const result = await connection.run(
    `SELECT count(*)::INTEGER, ${joined.join(', ')} FROM (
       SELECT file_row_number // ${joinedRows} AS part, ${named.join(', ')} FROM ${source}
       WHERE ${where}) GROUP BY part ORDER BY part`,
  )
  const [counts = [], ...columns] = await result.getColumns()
  return columns.map((column) => {
    const texts: string[][] = column.map((text, part) => {
      const count = Number(counts[part])
      if (typeof text !== 'string') return new Array<string>(count).fill('')
      const pieces = text.split(separator)
      if (pieces.length === count) return pieces
      throw new LogCorrupt({
        ...origin,
        what: 'a path or text holds a control character',
        expected: `${count} texts`,
        found: `${pieces.length}`,
        fix: 'find out who wrote the checkpoint',
      })
    })
    return texts.length === 1 ? (texts[0] ?? []) : texts.flat()
  })
}
