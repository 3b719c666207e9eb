import type { DuckDBConnection } from '@duckdb/node-api'
import { type DeviceLog, IsothermError, type LogSlice } from '../contracts/index.ts'
import type { JobContext, Lake } from './lake-table.ts'
import {
  deadLetterQuery,
  type LandingCoordinates,
  landingQuery,
  refusedCountQuery,
} from './landing-query.ts'

/** What one landing run moved from the log into the tables. */
export type LandingOutcome = {
  readonly rowCount: number
  readonly deadLetterCount: number
  /** Records still waiting in the log when the run began its last commit. */
  readonly remainingCount: number
  readonly commitCount: number
}

/**
 * A backlog is cut into commits of at most this many records (ING-27 allows 5 million): small enough
 * that reading ahead overlaps with writing and that a stage which takes whole commits fits in memory.
 */
const maxRecordsPerCommit = 1_000_000

const consumerGroup = 'isotherm-materializer'

function appId(log: DeviceLog, partition: number): string {
  return `landing/${log.generation}/${partition}`
}

/** Next offset to land: the table itself says where to go on, ING-28. */
async function nextOffset(lake: Lake, log: DeviceLog, partition: number): Promise<number> {
  const table = lake.table('raw_sensor_readings')
  const last = await table.position(appId(log, partition))
  const { startOffset } = log.bounds(partition)
  if (last === undefined) return startOffset
  if (last + 1 < startOffset) {
    throw new IsothermError(
      'LOG_DAMAGED',
      `log partition ${partition}: landing stands at offset ${last}, but the log now starts at ` +
        `${startOffset}; records ${last + 1} to ${startOffset - 1} are gone. Restore the log ` +
        'folder from a backup',
    )
  }
  return last + 1
}

async function landSlice(
  context: JobContext,
  connection: DuckDBConnection,
  log: DeviceLog,
  slice: LogSlice,
): Promise<{ readonly rowCount: number; readonly deadLetterCount: number }> {
  const { lake, nowMs } = context
  const coordinates: LandingCoordinates = { generation: log.generation, availableMs: nowMs }
  const recordCount = slice.endOffset - slice.startOffset
  const positions = [{ appId: appId(log, slice.partition), version: slice.endOffset - 1 }]
  let deadLetterCount = 0

  // Dead letters are committed before the offset advances (ING-23). A crash in between leaves them
  // there with their own position, so the next run adds only those behind it.
  const setAside = async (rowCount: number): Promise<void> => {
    deadLetterCount = recordCount - rowCount
    if (deadLetterCount === 0) return
    const refused = await connection.runAndReadAll(refusedCountQuery(lake.fleet, slice))
    const refusedCount = Number(refused.getRows()[0]?.[0])
    if (refusedCount !== deadLetterCount) {
      throw new IsothermError(
        'COMMIT_FAILED',
        `landing offsets ${slice.startOffset} to ${slice.endOffset - 1}: ${recordCount} records, ` +
          `but ${rowCount} readable and ${refusedCount} refused; run isotherm doctor`,
      )
    }
    const letters = lake.table('dead_letter_messages')
    const last = (await letters.position(appId(log, slice.partition))) ?? -1
    const rest = { ...slice, startOffset: Math.max(slice.startOffset, last + 1) }
    if (rest.startOffset >= rest.endOffset) return
    await letters.write({
      connection,
      query: deadLetterQuery(lake.fleet, rest, coordinates),
      positions,
      operation: 'LAND',
      nowMs,
    })
  }

  const outcome = await lake.table('raw_sensor_readings').write({
    connection,
    query: landingQuery(lake.fleet, slice, coordinates),
    positions,
    keepsOrder: true,
    operation: 'LAND',
    nowMs,
    beforeCommit: setAside,
  })
  if (outcome.kind === 'repeated') return { rowCount: 0, deadLetterCount: 0 }
  return { rowCount: outcome.rowCount, deadLetterCount }
}

type HeldSlice = Awaited<ReturnType<DeviceLog['slice']>>

/**
 * Slices of a range one after the other; the next is read and checked against its CRCs while the
 * caller works on one. Each is released when the caller asks for the next.
 */
async function* slicesAhead(
  log: DeviceLog,
  partition: number,
  startOffset: number,
  endOffset: number,
): AsyncGenerator<HeldSlice> {
  const take = (start: number): Promise<HeldSlice> | undefined => {
    if (start >= endOffset) return undefined
    const slice = log.slice(partition, start, Math.min(endOffset, start + maxRecordsPerCommit))
    // A failure is reported when its turn comes; until then it must not count as unhandled.
    slice.catch(() => undefined)
    return slice
  }
  let upcoming = take(startOffset)
  try {
    while (upcoming !== undefined) {
      const slice = await upcoming
      upcoming = take(slice.endOffset)
      try {
        yield slice
      } finally {
        await slice.release()
      }
    }
  } finally {
    // After an error the slice read ahead is given back; what the caller reports is the error.
    const unused = await upcoming?.catch(() => undefined)
    await unused?.release()
  }
}

/**
 * Moves everything durable in the log into `raw_sensor_readings`, unreadable records into
 * `dead_letter_messages`, exactly once (ING-26 to ING-30). Safe to run again after any crash.
 */
export async function landingJob(context: JobContext, log: DeviceLog): Promise<LandingOutcome> {
  const total = { rowCount: 0, deadLetterCount: 0, remainingCount: 0, commitCount: 0 }
  for (let partition = 0; partition < log.partitionCount; partition++) {
    const start = await nextOffset(context.lake, log, partition)
    const { endOffset } = log.bounds(partition)
    for await (const slice of slicesAhead(log, partition, start, endOffset)) {
      const landed = await context.lake.withConnection((connection) =>
        landSlice(context, connection, log, slice),
      )
      total.rowCount += landed.rowCount
      total.deadLetterCount += landed.deadLetterCount
      total.commitCount += 1
      context.onProgress?.('landed', slice.endOffset, endOffset)
    }
    await log.commitPosition(consumerGroup, partition, endOffset)
    total.remainingCount += log.bounds(partition).endOffset - endOffset
  }
  return total
}
