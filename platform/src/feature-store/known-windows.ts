import type { DuckDBConnection } from '@duckdb/node-api'
import type { Snapshot } from '@isotherm/delta'
import { timeSpan } from '../clean/index.ts'
import type { DeviceRow, FleetDefinition } from '../contracts/index.ts'
import { computeRange, type WindowRule } from '../features/index.ts'
import type { LakeTable } from '../lake/index.ts'

/** Readings become known with the commit that lands them; commits come every five minutes, ING-27. */
export const arrivalTickMs = 300_000

/** Where states of windows wait until they are committed. */
export const pendingHistory = 'pending_history'

/** What a computation of states reads. */
export type KnownWindowsSource = {
  readonly connection: DuckDBConnection
  readonly fleet: FleetDefinition
  readonly devices: readonly DeviceRow[]
  readonly clean: LakeTable
  /** Pinned for the run. */
  readonly cleanSnapshot: Snapshot
  readonly features: LakeTable
  readonly nowMs: number
}

/** Half-open range of window starts, epoch ms. */
export type WindowSpan = { readonly startMs: number; readonly endMs: number }

const lateTicks = 'late_arrival_ticks'
const wantedTicks = 'wanted_arrival_ticks'
const lateWindowRows = 'late_window_rows'

/** SQL for the start of the window that holds a row's event time, epoch ms. */
const startMsOf = (row: string, { lengthMs }: WindowRule) =>
  `epoch_ms(${row}.timestamp_utc) // ${lengthMs} * ${lengthMs}`

/** SQL for the instant at which the first state of a row's window is known: emission, FEA-10. */
const firstKnown = (row: string, rule: WindowRule) =>
  `make_timestamptz((${startMsOf(row, rule)} + ${rule.lengthMs + rule.emissionDelayMs}) * 1000)`

/**
 * A clean table of which only some readings are seen, all of them on time: the states of a window
 * are decided here, by arrival, and not by the grace of the live job.
 */
function seenThrough(clean: LakeTable, select: (relation: string) => string): LakeTable {
  return { ...clean, relation: (snapshot, files) => select(clean.relation(snapshot, files)) }
}

/** Clean rows of the files that can hold readings of a span. */
function rowsOfSpan(
  { clean, cleanSnapshot }: KnownWindowsSource,
  { startMs, endMs }: WindowSpan,
): string {
  const files = cleanSnapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return minMs < endMs && maxMs >= startMs
  })
  return clean.relation(cleanSnapshot, files)
}

const onTime = 'SELECT row.* REPLACE (row.timestamp_utc AS timestamp_ingested)'

/** Arrivals after the first state, rounded up to ticks: each tick is one more state. */
async function stageLateTicks(
  source: KnownWindowsSource,
  rule: WindowRule,
  span: WindowSpan,
): Promise<number> {
  const { connection } = source
  const { startMs, endMs } = span
  const tickUs = arrivalTickMs * 1000
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${lateTicks} AS
    SELECT *, row_number() OVER (PARTITION BY device_id, start_ms ORDER BY tick_ms) AS ordinal
    FROM (SELECT DISTINCT row.device_id, ${startMsOf('row', rule)} AS start_ms,
        (epoch_us(row.timestamp_ingested) + ${tickUs - 1}) // ${tickUs} * ${arrivalTickMs} AS tick_ms
      FROM ${rowsOfSpan(source, span)} AS row
      WHERE row.timestamp_utc >= make_timestamptz(${startMs * 1000})
        AND row.timestamp_utc < make_timestamptz(${endMs * 1000})
        AND row.timestamp_ingested > ${firstKnown('row', rule)})`)
  const reader = await connection.runAndReadAll(
    `SELECT coalesce(max(ordinal), 0)::DOUBLE FROM ${lateTicks}`,
  )
  return Number(reader.getRows()[0]?.[0])
}

/** All readings of the windows that got late ones: every further state is made of these alone. */
async function stageLateWindows(
  source: KnownWindowsSource,
  rule: WindowRule,
  span: WindowSpan,
): Promise<void> {
  const { connection } = source
  const { startMs, endMs } = span
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${lateWindowRows} AS
    SELECT row.* FROM ${rowsOfSpan(source, span)} AS row
    SEMI JOIN ${lateTicks} AS tick ON tick.device_id = row.device_id
      AND tick.start_ms = ${startMsOf('row', rule)}
    WHERE row.timestamp_utc >= make_timestamptz(${startMs * 1000})
      AND row.timestamp_utc < make_timestamptz(${endMs * 1000})`)
}

async function addStates(
  source: KnownWindowsSource,
  rule: WindowRule,
  span: WindowSpan,
  clean: LakeTable,
  known: { readonly instant: string; readonly join: string },
): Promise<void> {
  const computed = await computeRange({ ...source, ...span, clean, durationMinutes: rule.minutes })
  await source.connection.run(`INSERT INTO ${pendingHistory} BY NAME
    SELECT state.* EXCLUDE (is_final, late_created, post_maintenance, outlier_features),
      ${known.instant} AS known_from, 0 AS revision
    FROM ${computed} AS state ${known.join}`)
}

/**
 * Adds every state of the windows of one duration that start in a span: the first as known when the
 * window is emitted, one more for each tick at which later readings arrived. A function of the
 * clean readings alone, in whatever order and however often they came (FEA-15).
 */
async function addDuration(
  source: KnownWindowsSource,
  rule: WindowRule,
  span: WindowSpan,
): Promise<void> {
  const { connection, clean } = source
  const delayUs = rule.emissionDelayMs * 1000
  const punctual = seenThrough(
    clean,
    (relation) => `(${onTime} FROM ${relation} AS row
      WHERE row.timestamp_ingested <= ${firstKnown('row', rule)})`,
  )
  await addStates(source, rule, span, punctual, {
    instant: `make_timestamptz(epoch_us(state.window_end) + ${delayUs})`,
    join: '',
  })
  const stateCount = await stageLateTicks(source, rule, span)
  if (stateCount > 0) await stageLateWindows(source, rule, span)
  for (let ordinal = 1; ordinal <= stateCount; ordinal++) {
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${wantedTicks} AS
      SELECT device_id, start_ms, tick_ms FROM ${lateTicks} WHERE ordinal = ${ordinal}`)
    const arrived = seenThrough(
      clean,
      () => `(${onTime} FROM ${lateWindowRows} AS row
        JOIN ${wantedTicks} AS tick ON tick.device_id = row.device_id
          AND tick.start_ms = ${startMsOf('row', rule)}
        WHERE row.timestamp_ingested <= make_timestamptz(tick.tick_ms * 1000))`,
    )
    await addStates(source, rule, span, arrived, {
      instant: 'make_timestamptz(tick.tick_ms * 1000)',
      join: `JOIN ${wantedTicks} AS tick ON tick.device_id = state.device_id
        AND tick.start_ms = epoch_ms(state.window_start)`,
    })
  }
}

/**
 * Fills the temporary table `pending_history` with all states of all windows that start in a span.
 * Cost: two passes over the span's clean readings per duration, and one over late ones per state.
 */
export async function computeKnownWindows(
  source: KnownWindowsSource,
  history: LakeTable,
  rules: readonly WindowRule[],
  span: WindowSpan,
): Promise<void> {
  const { connection } = source
  const empty = history.relation(await history.snapshot(), [])
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${pendingHistory} AS SELECT * FROM ${empty}`)
  for (const rule of rules) await addDuration(source, rule, span)
  await connection.run(`UPDATE ${pendingHistory} SET revision = numbered.place FROM (
      SELECT rowid AS state_row, row_number() OVER (
        PARTITION BY device_id, window_start, window_duration_minutes ORDER BY known_from) - 1 AS place
      FROM ${pendingHistory}) AS numbered
    WHERE numbered.state_row = ${pendingHistory}.rowid AND numbered.place > 0`)
}
