import type { DuckDBConnection } from '@duckdb/node-api'
import { isRecord } from '../schema/schema.ts'
import { withLostMark } from './marked-texts.ts'

/** What the SQL engine noted about a column while it wrote a file; bounds are text in SQL form. */
export interface ColumnReport {
  readonly min?: string
  readonly max?: string
  readonly nullCount?: number
  /** Known for floating-point columns only. */
  readonly hasNan?: boolean
}

/** What the SQL engine noted about a file it wrote. */
export interface FileReport {
  /** Absolute path. */
  readonly file: string
  readonly rowCount: number
  readonly sizeBytes: number
  /** Leaf columns by `columnKey` of their path. */
  readonly columns: ReadonlyMap<string, ColumnReport>
  /** Partition column to value as text. */
  readonly partitionValues: Readonly<Record<string, string | null>>
}

/** Key of a leaf column: its path from the top, unambiguous for any names. */
export function columnKey(path: readonly string[]): string {
  return path.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
}

/** Runs a COPY with RETURN_STATS and reads what it reports, one entry per file. */
export async function runCopy(
  connection: DuckDBConnection,
  copySql: string,
): Promise<readonly FileReport[]> {
  const result = await connection.runAndReadAll(copySql)
  return result.getRowObjectsJson().map((row) => ({
    file: String(row.filename),
    rowCount: Number(row.count),
    sizeBytes: Number(row.file_size_bytes),
    columns: new Map(
      entriesOf(row.column_statistics).map(([path, notes]) => [path, columnReport(notes)]),
    ),
    partitionValues: Object.fromEntries(
      entriesOf(row.partition_keys).map(([name, value]) => [
        name,
        value === null ? null : withLostMark(String(value), name, String(row.filename)),
      ]),
    ),
  }))
}

function columnReport(notes: unknown): ColumnReport {
  const note = new Map(entriesOf(notes).map(([name, value]) => [name, String(value)]))
  const min = note.get('min')
  const max = note.get('max')
  const nullCount = note.get('null_count')
  const hasNan = note.get('has_nan')
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(nullCount === undefined ? {} : { nullCount: Number(nullCount) }),
    ...(hasNan === undefined ? {} : { hasNan: hasNan === 'true' }),
  }
}

/** A SQL map, which arrives as a list of {key, value}. */
function entriesOf(json: unknown): readonly (readonly [string, unknown])[] {
  if (!Array.isArray(json)) return []
  return json.filter(isRecord).map((entry) => [String(entry.key), entry.value] as const)
}
