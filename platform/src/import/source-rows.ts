import type { DuckDBConnection } from '@duckdb/node-api'
import { IsothermError } from '../contracts/index.ts'
import type { ResolvedMap } from './column-map.ts'
import { reasonOf, type SourceFile, text } from './source-file.ts'

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

function timeExpression(
  source: SourceFile,
  { column, format, timezone }: ResolvedMap['timestamp'],
): string {
  const raw = `${source.expressionOf(column)}::VARCHAR`
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

/**
 * Streams the rows of a file in file order.
 * @throws IsothermError INPUT_INVALID when the engine cannot read it as the map says
 */
export async function* sourceRows(
  connection: DuckDBConnection,
  source: SourceFile,
  map: ResolvedMap,
): AsyncGenerator<readonly SourceRow[]> {
  const device =
    'constant' in map.device ? text(map.device.constant) : source.expressionOf(map.device.column)
  const cells = map.sensors.map(({ column }) => `${source.expressionOf(column)}::VARCHAR`)
  const refuse = (cause: unknown): never => {
    const reason = `${source.path}: cannot be read as the map says: ${reasonOf(cause)}`
    throw new IsothermError('INPUT_INVALID', reason, { cause })
  }
  const sql =
    `SELECT ${device}::VARCHAR, ${source.expressionOf(map.timestamp.column)}::VARCHAR, ` +
    `${timeExpression(source, map.timestamp)}, ${cells.join(', ')} FROM ${source.relation}`
  const stream = await connection.stream(sql).catch(refuse)
  let rowNumber = 0
  for (;;) {
    const chunk = await stream.fetchChunk().catch(refuse)
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
