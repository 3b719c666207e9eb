import type { DuckDBConnection } from '@duckdb/node-api'
import { IsothermError } from '../contracts/index.ts'
import type { Lake, LakeTable } from '../lake/index.ts'
import { arrivalSummary, arrivalsView, bucketMs } from './arrivals.ts'
import type { BatchGates, HeldSlice } from './batch-gates.ts'
import { recallMemory } from './device-memory.ts'
import { knownIds, removedRows, repeatedCount, repeatedIds, uniqueArrivals } from './duplicates.ts'
import type { Slice } from './fleet-slices.ts'
import { foldedTable, sourceView } from './fold.ts'
import { type Fate, fateCounts, judgedView, messagesTable } from './judged.ts'
import { sqlInstant } from './sql-literal.ts'
import { timeSpan } from './version-files.ts'
import { zoneSuspects } from './zone-runs.ts'

/** How a batch is judged; pinned for a run. */
export type BatchSettings = {
  readonly isVersioned: boolean
  readonly slices: readonly Slice[]
  readonly knownSchemaMajors?: readonly string[]
  readonly gates?: BatchGates
  /** Landing version before the batch, where a device's last messages are found; absent: none. */
  readonly landingVersion?: number
}

/** The books of a batch, CON-13. */
export type BatchCounts = {
  readonly inputRowCount: number
  /** Rows in the clean table. */
  readonly rowCount: number
  readonly duplicateCount: number
  /** Narrow rows that became part of another row. */
  readonly foldedCount: number
  /** Rows set aside; those a gate holds back are among them. */
  readonly quarantinedCount: number
  /** Rows that a gate holds back. */
  readonly heldCount: number
  readonly deadLetterCount: number
}

/** How far back the last messages of a device are looked for; ten a minute apart need ten minutes. */
const zoneLookbackMs = 2 * 3_600_000

type Row = readonly unknown[]

/** Rows of a query as JavaScript values. */
export async function rowsOf(connection: DuckDBConnection, query: string): Promise<readonly Row[]> {
  return (await connection.runAndReadAll(query)).getRowsJS()
}

async function countOf(connection: DuckDBConnection, table: string): Promise<number> {
  return Number((await rowsOf(connection, `SELECT count(*) FROM ${table}`))[0]?.[0])
}

/** Clean files that may hold copies of the batch: those with readings of the same times, CON-10. */
async function cleanCandidates(
  table: LakeTable,
  buckets: readonly number[],
): Promise<string | undefined> {
  const snapshot = await table.snapshot()
  const starts = buckets.map((bucket) => bucket * bucketMs).toSorted((a, b) => a - b)
  const files = snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return starts.some((start) => start <= maxMs && start + bucketMs > minMs)
  })
  return files.length === 0 ? undefined : table.relation(snapshot, files)
}

/** Takes out repeats and folds narrow rows; leaves the view `source`. */
async function prepareSource(connection: DuckDBConnection, lake: Lake, relation: string) {
  const { fleet } = lake
  await connection.run(arrivalsView(fleet, relation))
  const [summary] = await rowsOf(connection, arrivalSummary)
  const buckets = (summary?.[2] ?? []) as readonly number[]
  const candidates = await cleanCandidates(lake.table('clean_sensor_readings'), buckets)
  for (const statement of [repeatedIds, knownIds(candidates), removedRows]) {
    await connection.run(statement)
  }
  const duplicateCount = await countOf(connection, 'removed')
  await connection.run(
    uniqueArrivals(duplicateCount > 0 || (await countOf(connection, 'repeated')) > 0),
  )
  const hasFolded = Number(summary?.[1]) > 0
  let foldedCount = 0
  if (hasFolded) {
    await connection.run(foldedTable(fleet))
    const [parts] = await rowsOf(connection, 'SELECT sum(part_count - 1)::DOUBLE FROM folded')
    foldedCount = Number(parts?.[0] ?? 0)
  }
  await connection.run(sourceView(fleet, hasFolded))
  return {
    books: { inputRowCount: Number(summary?.[0]), duplicateCount, foldedCount },
    zoneOffCount: Number(summary?.[3]),
  }
}

/** What arrived in the hours before a batch, as a view; undefined if nothing did. */
async function earlierArrivals(
  connection: DuckDBConnection,
  lake: Lake,
  landingVersion: number | undefined,
): Promise<string | undefined> {
  if (landingVersion === undefined || landingVersion < 0) return undefined
  const landing = lake.table('raw_sensor_readings')
  const snapshot = await landing.snapshot({ version: landingVersion })
  const [oldest] = await rowsOf(
    connection,
    'SELECT min(epoch_ms(timestamp_ingested))::DOUBLE FROM arrivals',
  )
  const fromMs = Number(oldest?.[0]) - zoneLookbackMs
  const files = snapshot.files.filter(
    (file) => timeSpan(file, 'timestamp_ingested').maxMs >= fromMs,
  )
  if (files.length === 0) return undefined
  await connection.run(
    arrivalsView(lake.fleet, landing.relation(snapshot, files), 'earlier_arrivals'),
  )
  return `(SELECT * FROM earlier_arrivals WHERE timestamp_ingested >= ${sqlInstant(fromMs)})`
}

/** Leaves the table `zone_suspects`, ING-45. */
async function findZoneSuspects(
  connection: DuckDBConnection,
  lake: Lake,
  landingVersion: number | undefined,
): Promise<void> {
  const earlier = await earlierArrivals(connection, lake, landingVersion)
  for (const statement of zoneSuspects(earlier)) await connection.run(statement)
}

/** A batch ready to be written: its books, and whether `zone_suspects` has to be looked at. */
export type PreparedBatch = { readonly counts: BatchCounts; readonly hasZoneSuspects: boolean }

type FateRow = {
  readonly fate: Fate
  readonly slice: number
  readonly rowCount: number
  readonly figures: readonly number[]
}

/** Asks the gates which slices may not go on. */
function heldSlices(
  { gates, slices }: BatchSettings,
  names: readonly string[],
  rows: readonly FateRow[],
): readonly HeldSlice[] {
  if (gates === undefined) return []
  return gates.judge(
    rows.flatMap(({ fate, slice, rowCount, figures }) => {
      const found = slices[slice]
      if (fate !== 'clean' || found === undefined) return []
      const named = Object.fromEntries(names.map((name, index) => [name, figures[index] ?? 0]))
      return [{ slice: found, rowCount, figures: named }]
    }),
  )
}

/**
 * Sets up the views and tables of a batch of landing rows, asks the gates, and counts what becomes
 * of each row. Afterwards `judged` says the fate of every message.
 */
export async function prepareBatch(
  connection: DuckDBConnection,
  lake: Lake,
  relation: string,
  settings: BatchSettings,
): Promise<PreparedBatch> {
  const { fleet } = lake
  const { isVersioned, slices, gates } = settings
  const { books: source, zoneOffCount } = await prepareSource(connection, lake, relation)
  const hasZoneSuspects = zoneOffCount > 0
  if (hasZoneSuspects) await findZoneSuspects(connection, lake, settings.landingVersion)
  await connection.run(messagesTable(fleet, settings.knownSchemaMajors ?? ['1', '2']))
  await connection.run(judgedView(fleet, isVersioned))
  const figures = gates?.figures({ rowCount: source.inputRowCount }) ?? {}
  const names = Object.keys(figures)
  const rows = (await rowsOf(connection, fateCounts(Object.values(figures)))).map(
    ([fate, slice, rowCount, ...values]): FateRow => ({
      fate: String(fate) as Fate,
      slice: Number(slice),
      rowCount: Number(rowCount),
      figures: values.map(Number),
    }),
  )
  const held = heldSlices(settings, names, rows)
  const heldIndexes = [...new Set(held.map(({ slice }) => slices.indexOf(slice)))]
  if (held.length > 0) {
    await gates?.onHeld(held)
    await connection.run(judgedView(fleet, isVersioned, heldIndexes))
  }
  for (const statement of recallMemory(fleet)) await connection.run(statement)
  const count = (isCounted: (row: FateRow) => boolean) =>
    rows.filter(isCounted).reduce((sum, { rowCount }) => sum + rowCount, 0)
  const heldCount = count(({ fate, slice }) => fate === 'clean' && heldIndexes.includes(slice))
  const unknown: readonly Fate[] = ['DEVICE_UNKNOWN', 'SCHEMA_VERSION_UNKNOWN']
  const counts: BatchCounts = {
    ...source,
    rowCount: count(({ fate }) => fate === 'clean') - heldCount,
    quarantinedCount: count(({ fate }) => unknown.includes(fate)) + heldCount,
    heldCount,
    deadLetterCount: count(({ fate }) => fate === 'ALL_SENSORS_NULL'),
  }
  return { counts, hasZoneSuspects }
}

/** E2.1 and E2.5: no id twice, and every row accounted for. */
export async function checkBalance(
  connection: DuckDBConnection,
  where: string,
  counts: BatchCounts,
  writtenCount: number,
): Promise<void> {
  const { inputRowCount, duplicateCount, foldedCount, quarantinedCount, deadLetterCount } = counts
  const accounted = writtenCount + duplicateCount + foldedCount + quarantinedCount + deadLetterCount
  if (accounted !== inputRowCount) {
    throw new IsothermError(
      'GATE_FAILED',
      `clean_sensor_readings: check E2.5 fails for ${where}: ${inputRowCount} rows in, but ` +
        `${writtenCount} clean, ${duplicateCount} duplicates, ${foldedCount} folded, ` +
        `${quarantinedCount} quarantined, ${deadLetterCount} dead letters; nothing was committed`,
    )
  }
  const [repeated] = await rowsOf(connection, repeatedCount)
  if (Number(repeated?.[0]) !== 0) {
    throw new IsothermError(
      'GATE_FAILED',
      `clean_sensor_readings: check E2.1 fails for ${where}: ${repeated?.[0]} event ids repeat; ` +
        'nothing was committed',
    )
  }
}
