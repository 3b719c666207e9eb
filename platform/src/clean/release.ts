import type { DuckDBConnection } from '@duckdb/node-api'
import { IsothermError } from '../contracts/index.ts'
import type { JobContext, Lake } from '../lake/index.ts'
import { checkBalance, type PreparedBatch, prepareBatch, rowsOf } from './clean-batch.ts'
import { cleanQuery } from './clean-query.ts'
import type { CleanInput } from './job.ts'
import { catchUp, loadMemory, saveMemory } from './memory-store.ts'
import { createRegistryTable } from './registry-table.ts'
import { allNullQuery } from './side-tables.ts'
import { sqlInstant, sqlText } from './sql-literal.ts'
import { timeSpan } from './version-files.ts'

/** Which waiting rows to try; fields left out do not narrow. */
export type ReleaseSelection = {
  /** Only rows of these devices. */
  readonly deviceIds?: readonly string[]
  /** Rows are judged without the gates: a person takes the values as they are, faults nulled. */
  readonly ignoresGates?: boolean
}

/** What became of rows that waited in quarantine. */
export type ReleaseOutcome = {
  /** Rows looked at. */
  readonly triedCount: number
  /** Rows that left quarantine; nearly all of them are clean rows now. */
  readonly releasedCount: number
  /** Rows that still may not go on. */
  readonly waitingCount: number
}

/** Rows tried in one commit, about. */
const rowsPerBatch = 2_000_000
/** Races with compaction that are run again. */
const maxAttempts = 5
const hourMs = 3_600_000

/** Waiting rows that may have become acceptable: of registered devices, or held by a gate. */
async function selectCandidates(
  connection: DuckDBConnection,
  lake: Lake,
  { deviceIds }: ReleaseSelection,
): Promise<readonly (readonly [startMs: number, endMs: number])[]> {
  const table = lake.table('quarantine_sensor_readings')
  const own =
    deviceIds === undefined
      ? ''
      : `AND device_id IN (${deviceIds.map(sqlText).join(', ') || 'NULL'})`
  await connection.run(`CREATE OR REPLACE TEMP TABLE candidates AS
    SELECT event_id, timestamp_ingested, merged_event_ids
    FROM ${table.relation(await table.snapshot())}
    WHERE released_at IS NULL AND quarantine_reason <> 'DISCARDED'
      AND device_id IN (SELECT registered_id FROM registry) ${own}`)
  const hours = await rowsOf(
    connection,
    `SELECT (epoch_ms(timestamp_ingested) // ${hourMs})::DOUBLE AS hour, count(*)::DOUBLE
      FROM candidates GROUP BY hour ORDER BY hour`,
  )
  const spans: [number, number][] = []
  let count = Number.POSITIVE_INFINITY
  for (const [hour, rowCount] of hours) {
    const startMs = Number(hour) * hourMs
    const last = spans.at(-1)
    if (last === undefined || count + Number(rowCount) > rowsPerBatch) {
      spans.push([startMs, startMs + hourMs])
      count = 0
    } else last[1] = startMs + hourMs
    count += Number(rowCount)
  }
  return spans
}

/** The landing rows of the candidates in a span, without copies that were taken out before. */
async function landingRows(
  connection: DuckDBConnection,
  lake: Lake,
  [startMs, endMs]: readonly [number, number],
): Promise<string | undefined> {
  const landing = lake.table('raw_sensor_readings')
  const snapshot = await landing.snapshot()
  const files = snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_ingested')
    return minMs < endMs + hourMs && maxMs >= startMs
  })
  if (files.length === 0) return undefined
  const removed = lake.table('removed_duplicates')
  await connection.run(`CREATE OR REPLACE TEMP TABLE tried AS
    SELECT event_id, event_id AS part_id FROM candidates
      WHERE timestamp_ingested >= ${sqlInstant(startMs)}
        AND timestamp_ingested < ${sqlInstant(endMs)}
    UNION ALL
    SELECT event_id, unnest(merged_event_ids) FROM candidates
      WHERE merged_event_ids IS NOT NULL AND timestamp_ingested >= ${sqlInstant(startMs)}
        AND timestamp_ingested < ${sqlInstant(endMs)}`)
  return `(SELECT * FROM ${landing.relation(snapshot, files)} AS landed
    WHERE event_id IN (SELECT part_id FROM tried)
      AND NOT EXISTS (FROM ${removed.relation(await removed.snapshot())} AS copy
        WHERE copy.event_id = landed.event_id
          AND copy._sequence_number = landed._sequence_number
          AND copy._partition_id = coalesce(landed._partition_id, 0)))`
}

/** Stamps rows that left quarantine; rewrites the files that hold them, in one commit. */
async function stampReleased(connection: DuckDBConnection, context: JobContext): Promise<void> {
  const table = context.lake.table('quarantine_sensor_readings')
  for (let attempt = 1; ; attempt++) {
    const snapshot = await table.snapshot()
    const replaces: (typeof snapshot.files)[number][] = []
    for (const file of snapshot.files) {
      const found = await rowsOf(
        connection,
        `SELECT 1 FROM ${table.relation(snapshot, [file])}
          WHERE event_id IN (SELECT event_id FROM released) AND released_at IS NULL LIMIT 1`,
      )
      if (found.length > 0) replaces.push(file)
    }
    if (replaces.length === 0) return
    try {
      await table.write({
        connection,
        query: `SELECT * REPLACE (CASE WHEN released_at IS NULL
            AND event_id IN (SELECT event_id FROM released)
            THEN ${sqlInstant(context.nowMs)} ELSE released_at END AS released_at)
          FROM ${table.relation(snapshot, replaces)}`,
        replaces,
        readVersion: snapshot.version,
        operation: 'RELEASE',
        nowMs: context.nowMs,
      })
      return
    } catch (error) {
      // Compaction was faster and replaced the same files: the next try sees its result.
      const isLost = error instanceof IsothermError && error.code === 'COMMIT_FAILED'
      if (!isLost || attempt === maxAttempts) throw error
    }
  }
}

/** Writes what the judged rows became; a row that is there already is not written again. */
async function writeReleased(
  connection: DuckDBConnection,
  { lake, nowMs }: JobContext,
  { counts, hasZoneSuspects }: PreparedBatch,
): Promise<void> {
  const base = { connection, operation: 'RELEASE', nowMs } as const
  if (counts.deadLetterCount > 0) {
    const letters = lake.table('dead_letter_messages')
    const known = letters.relation(await letters.snapshot())
    await letters.write({
      ...base,
      query: `SELECT * FROM (${allNullQuery(lake.fleet)})
        WHERE dlq_id NOT IN (SELECT dlq_id FROM ${known})`,
    })
  }
  if (counts.rowCount === 0) return
  await lake.table('clean_sensor_readings').write({
    ...base,
    query: cleanQuery(lake.fleet, { where: "fate = 'clean'", hasMemory: true, hasZoneSuspects }),
    beforeCommit: (writtenCount) =>
      checkBalance(connection, 'rows from quarantine', counts, writtenCount),
  })
}

/**
 * Cleanses rows again that wait in quarantine, from landing by `event_id` under the registry, schema
 * versions and gates of now (ING-25). Those that may go on become clean rows, and the windows they
 * belong to are computed by the next feature run. Safe to repeat after a crash: rows that are clean
 * already are only stamped.
 */
export async function releaseJob(
  context: JobContext,
  input: CleanInput,
  selection: ReleaseSelection = {},
): Promise<ReleaseOutcome> {
  const { lake } = context
  const clean = lake.table('clean_sensor_readings')
  const { gates, ...withoutGates } = input
  const judged = selection.ignoresGates === true ? withoutGates : input
  return await lake.withConnection(async (connection) => {
    const registry = await createRegistryTable(connection, lake.fleet, input.devices)
    const spans = await selectCandidates(connection, lake, selection)
    let total: ReleaseOutcome = { triedCount: 0, releasedCount: 0, waitingCount: 0 }
    if (spans.length === 0) return total
    let memoryVersion = await loadMemory(connection, lake)
    for (const span of spans) {
      const relation = await landingRows(connection, lake, span)
      if (relation === undefined) continue
      const prepared = await prepareBatch(connection, lake, relation, { ...judged, ...registry })
      await connection.run(`CREATE OR REPLACE TEMP TABLE released AS
        SELECT DISTINCT event_id FROM tried WHERE event_id IN (
          SELECT event_id FROM judged WHERE fate IN ('clean', 'ALL_SENSORS_NULL')
          UNION ALL
          SELECT unnest(merged_event_ids) FROM judged WHERE fate IN ('clean', 'ALL_SENSORS_NULL')
          UNION ALL SELECT event_id FROM known)`)
      await writeReleased(connection, context, prepared)
      await stampReleased(connection, context)
      const [row] = await rowsOf(
        connection,
        `SELECT (SELECT count(DISTINCT event_id)::DOUBLE FROM tried),
          (SELECT count(*)::DOUBLE FROM released)`,
      )
      const triedCount = Number(row?.[0])
      const releasedCount = Number(row?.[1])
      total = {
        triedCount: total.triedCount + triedCount,
        releasedCount: total.releasedCount + releasedCount,
        waitingCount: total.waitingCount + triedCount - releasedCount,
      }
      const { version } = await clean.snapshot()
      memoryVersion = await catchUp(connection, lake, memoryVersion, version)
    }
    await saveMemory(connection, lake, memoryVersion)
    return total
  })
}
