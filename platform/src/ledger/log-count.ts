import type { DeviceLog } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'

/** Records of a device and hour in the log; `reason` null for readable ones. */
export type LogCount = {
  readonly deviceId: string
  readonly hour: number
  readonly reason: string | null
  readonly count: number
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`

/**
 * Counts the records of a range of offsets from the bytes on disk, apart from everything the
 * gateway believes. Cost: one pass of DuckDB over the range.
 */
export async function countLog(
  log: DeviceLog,
  lake: Pick<Lake, 'withConnection'>,
  range: { readonly partition: number; readonly start: number; readonly end: number },
): Promise<readonly LogCount[]> {
  const found: LogCount[] = []
  let start = Math.max(range.start, log.bounds(range.partition).startOffset)
  while (start < range.end) {
    const slice = await log.slice(range.partition, start, range.end)
    try {
      const sql = `
        SELECT coalesce(d, ''), (t // 3600000)::INTEGER, x, count(*)::INTEGER
        FROM read_ndjson([${slice.paths.map(text).join(', ')}],
          columns = {o: 'BIGINT', t: 'BIGINT', d: 'VARCHAR', m: 'VARCHAR', x: 'VARCHAR'},
          format = 'newline_delimited', maximum_object_size = 2097152)
        WHERE o >= ${slice.startOffset} AND o < ${slice.endOffset}
          AND coalesce(m, '') NOT IN ('import', 'replay')
        GROUP BY ALL`
      const rows = await lake.withConnection(async (connection) =>
        (await connection.runAndReadAll(sql)).getRows(),
      )
      for (const [deviceId, hour, reason, count] of rows) {
        found.push({
          deviceId: String(deviceId),
          hour: Number(hour),
          reason: reason === null || reason === undefined ? null : String(reason),
          count: Number(count),
        })
      }
      start = slice.endOffset
    } finally {
      await slice.release()
    }
  }
  return found
}
