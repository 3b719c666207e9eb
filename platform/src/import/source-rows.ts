import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { IsothermError, quoteName } from '../contracts/index.ts'
import type { ResolvedMap } from './column-map.ts'

/** One row of a file: 1-based row number, device, time and the raw text of each mapped sensor. */
export type SourceRow = {
  readonly rowNumber: number
  readonly deviceId: string | null
  readonly timeText: string | null
  /** Epoch ms, or null where the text is no time. */
  readonly timeMs: number | null
  readonly cells: readonly (string | null)[]
}

/** A line of the file that is no row: wrong number of fields, an open quote, broken JSON. */
export type RejectedLine = { readonly rowNumber: number; readonly reason: string }

/** A readable file with its columns. */
export type SourceFile = {
  readonly path: string
  readonly relation: string
  readonly columns: readonly string[]
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`

function relationOf(path: string): string {
  switch (extname(path.replace(/\.gz$/, '')).toLowerCase()) {
    case '.csv':
    case '.tsv':
    case '.txt':
      return (
        `read_csv(${text(path)}, all_varchar = true, header = true, store_rejects = true, ` +
        'parallel = false, strict_mode = true)'
      )
    case '.ndjson':
    case '.jsonl':
    case '.json':
      return `read_ndjson(${text(path)}, sample_size = -1)`
    case '.parquet':
      return `read_parquet(${text(path)})`
    default:
      throw new IsothermError(
        'INPUT_INVALID',
        `${path}: the name does not say the format; expected .csv, .tsv, .ndjson, .jsonl or .parquet`,
      )
  }
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? ''
}

/** Opens a CSV, NDJSON or Parquet file. @throws IsothermError INPUT_INVALID when it cannot be read */
export async function openSource(connection: DuckDBConnection, path: string): Promise<SourceFile> {
  if (!existsSync(path)) {
    throw new IsothermError('INPUT_INVALID', `${path}: there is no such file; check the path`)
  }
  const relation = relationOf(path)
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${relation}`)
    const columns = described.getRows().map(([name]) => String(name))
    return { path, relation, columns }
  } catch (cause) {
    throw new IsothermError('INPUT_INVALID', `${path}: cannot be read: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

function timeExpression({ column, format, timezone }: ResolvedMap['timestamp']): string {
  const raw = `${quoteName(column)}::VARCHAR`
  if (format === 'epoch_s') return `(TRY_CAST(${raw} AS DOUBLE) * 1000)::BIGINT`
  if (format === 'epoch_ms') return `TRY_CAST(${raw} AS BIGINT)`
  const local =
    format === undefined
      ? `TRY_CAST(${raw} AS TIMESTAMPTZ)`
      : timezone === undefined
        ? `try_strptime(${raw}, ${text(format)})::TIMESTAMPTZ`
        : `timezone(${text(timezone)}, try_strptime(${raw}, ${text(format)}))`
  const zoned =
    format === undefined && timezone !== undefined
      ? `CASE WHEN regexp_matches(${raw}, '([zZ]|[+-]\\d\\d:?\\d\\d)$') THEN ${local} ` +
        `ELSE timezone(${text(timezone)}, TRY_CAST(${raw} AS TIMESTAMP)) END`
      : local
  return `epoch_ms(${zoned})`
}

/** Streams the rows of a file in file order. */
export async function* sourceRows(
  connection: DuckDBConnection,
  source: SourceFile,
  map: ResolvedMap,
): AsyncGenerator<readonly SourceRow[]> {
  const device = 'constant' in map.device ? text(map.device.constant) : quoteName(map.device.column)
  const cells = map.sensors.map(({ column }) => `${quoteName(column)}::VARCHAR`)
  const stream = await connection.stream(
    `SELECT ${device}::VARCHAR, ${quoteName(map.timestamp.column)}::VARCHAR, ` +
      `${timeExpression(map.timestamp)}, ${cells.join(', ')} FROM ${source.relation}`,
  )
  let rowNumber = 0
  for (;;) {
    const chunk = await stream.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    yield chunk.getRows().map((row) => {
      rowNumber += 1
      const [deviceId, timeText, timeMs, ...values] = row
      return {
        rowNumber,
        deviceId: deviceId === null ? null : String(deviceId),
        timeText: timeText === null ? null : String(timeText),
        timeMs: timeMs === null ? null : Number(timeMs),
        cells: values.map((value) => (value === null ? null : String(value))),
      }
    })
  }
}

/** Lines of a CSV that DuckDB could not split into fields; valid after the rows were streamed. */
export async function rejectedLines(connection: DuckDBConnection): Promise<RejectedLine[]> {
  const exists = await connection.runAndReadAll(
    "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'",
  )
  if (Number(exists.getRows()[0]?.[0]) === 0) return []
  const found = await connection.runAndReadAll(
    'SELECT DISTINCT line, error_message FROM reject_errors ORDER BY line LIMIT 1000',
  )
  return found.getRows().map(([line, message]) => ({
    // Line 1 is the header.
    rowNumber: Number(line) - 1,
    reason: String(message).split('\n')[0] ?? '',
  }))
}
