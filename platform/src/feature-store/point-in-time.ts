import { quoteName } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { type HistorySource, statesIn } from './history-source.ts'
import { dayMs } from './retention.ts'

/** A question to the history: what did we know of this device at that time? */
export type SpineRow = {
  readonly deviceId: string
  /** Epoch ms. */
  readonly asOfMs: number
}

/** The newest window known at the time asked for; null where nothing was. */
export type SpineAnswer = SpineRow & {
  readonly windowStartMs: number | null
  readonly windowEndMs: number | null
  /** Epoch ms; never later than `asOfMs`. */
  readonly knownFromMs: number | null
  /** In the order of `columns`; null cells are null. */
  readonly values: readonly (number | null)[]
}

/** Which windows may answer. */
export type PointInTimeOptions = {
  readonly columns: readonly string[]
  /** Oldest window end before the time asked for; default 24 h (FEA-56). */
  readonly maxAgeMs?: number
}

/**
 * Joins times of devices with the newest window that was known then, on both clocks: the window had
 * ended, and the state taken is made of readings that had arrived; what came later, a correction
 * too, is not seen.
 * @returns one answer per question, in order
 * Cost: one pass over the windows between the oldest question and the newest.
 */
export async function pointInTimeJoin(
  lake: Lake,
  source: HistorySource,
  spine: readonly SpineRow[],
  { columns, maxAgeMs = dayMs }: PointInTimeOptions,
): Promise<readonly SpineAnswer[]> {
  if (spine.length === 0) return []
  const times = spine.map(({ asOfMs }) => asOfMs)
  const lengthMs = source.durationMinutes * 60_000
  const span = {
    startMs:
      Math.floor((times.reduce((a, b) => Math.min(a, b)) - maxAgeMs - lengthMs) / dayMs) * dayMs,
    endMs: times.reduce((a, b) => Math.max(a, b)) + 1,
  }
  const reader = await lake.withConnection(async (connection) => {
    await connection.run(
      'CREATE OR REPLACE TEMP TABLE spine (place INTEGER, device_id VARCHAR, as_of_us BIGINT)',
    )
    const appender = await connection.createAppender('spine')
    for (const [place, { deviceId, asOfMs }] of spine.entries()) {
      appender.appendInteger(place)
      appender.appendVarchar(deviceId)
      appender.appendBigInt(BigInt(Math.floor(asOfMs * 1000)))
      appender.endRow()
    }
    appender.closeSync()
    return await connection.runAndReadAll(`SELECT place, epoch_ms(state.window_start)::DOUBLE,
        epoch_ms(state.window_end)::DOUBLE, epoch_us(state.known_from) / 1000,
        ${columns.map((name) => `state.${quoteName(name)}::DOUBLE`).join(', ')}
      FROM spine JOIN ${statesIn(source, span)} AS state
        ON state.device_id = spine.device_id
        AND epoch_us(state.known_from) <= as_of_us AND epoch_us(state.window_end) <= as_of_us
        AND epoch_us(state.window_end) >= as_of_us - ${maxAgeMs * 1000}
      QUALIFY row_number() OVER (PARTITION BY place
        ORDER BY state.window_start DESC, state.known_from DESC) = 1`)
  })
  const found = new Map(reader.getRowsJS().map((row) => [Number(row[0]), row]))
  const number = (cell: unknown) => (typeof cell === 'number' ? cell : null)
  return spine.map((row, place): SpineAnswer => {
    const cells = found.get(place)
    return {
      ...row,
      windowStartMs: number(cells?.[1]),
      windowEndMs: number(cells?.[2]),
      knownFromMs: number(cells?.[3]),
      values: columns.map((_, index) => number(cells?.[4 + index])),
    }
  })
}
