import type { DuckDBConnection } from '@duckdb/node-api'
import type { FileReport } from './copy-report.ts'
import { sqlPathList } from './sql-text.ts'

/** Code point of the byte order mark, which the engine's client drops at the beginning of a text. */
const mark = 0xfeff

/**
 * The reports without the bounds of text columns in files where one begins with a byte order mark: it
 * is lost on its way out of the engine, and a bound without it could hide rows.
 * @param textKeys keys (see `columnKey`) of the text columns
 * Cost: the footers of the files are read once more, about 0.3 ms each.
 */
export async function withoutMarkedTexts(
  connection: DuckDBConnection,
  reports: readonly FileReport[],
  textKeys: readonly string[],
): Promise<readonly FileReport[]> {
  if (reports.length === 0 || textKeys.length === 0) return reports
  const paths = sqlPathList(reports.map(({ file }) => file))
  const found = await connection.runAndReadAll(
    `SELECT DISTINCT file_name FROM parquet_metadata(${paths})
     WHERE starts_with(stats_min_value, chr(${mark})) OR starts_with(stats_max_value, chr(${mark}))`,
  )
  const marked = new Set(found.getRowsJson().map(([file]) => String(file)))
  if (marked.size === 0) return reports
  return reports.map((report) =>
    marked.has(report.file) ? withoutBounds(report, textKeys) : report,
  )
}

function withoutBounds(report: FileReport, keys: readonly string[]): FileReport {
  const columns = new Map(report.columns)
  for (const key of keys) {
    const nullCount = columns.get(key)?.nullCount
    columns.set(key, nullCount === undefined ? {} : { nullCount })
  }
  return { ...report, columns }
}

/**
 * A partition value as the engine reports it, with the mark that may be lost from it: the name of its
 * folder still has it, percent-encoded.
 */
export function withLostMark(value: string, name: string, file: string): string {
  const marked = `${String.fromCharCode(mark)}${value}`
  const folders = file.split(/[\\/]/)
  const hasMark = folders.some((folder) => {
    const folderValue = folder.startsWith(`${name}=`) ? folder.slice(name.length + 1) : undefined
    return (
      folderValue?.startsWith('%EF%BB%BF') === true && decodeURIComponent(folderValue) === marked
    )
  })
  return hasMark ? marked : value
}
