import type { DuckDBConnection } from '@duckdb/node-api'
import type { AddFile, Snapshot } from '@isotherm/delta'
import { type DeviceRow, IsothermError } from '../contracts/index.ts'
import type { JobContext, Lake, LakeTable, TableWrite } from '../lake/index.ts'
import { arrivalSummary, arrivalsView, bucketMs, newestArrivals } from './arrivals.ts'
import { cleanQuery } from './clean-query.ts'
import { recallMemory } from './device-memory.ts'
import {
  knownIds,
  removedDuplicatesQuery,
  removedRows,
  repeatedCount,
  repeatedIds,
  uniqueArrivals,
} from './duplicates.ts'
import { foldedTable, sourceView } from './fold.ts'
import { type Fate, fateCounts, judgedView, messagesTable } from './judged.ts'
import { catchUp, loadMemory, saveMemory } from './memory-store.ts'
import { createRegistryTable } from './registry-table.ts'
import { checkSensorCount } from './sensor-mask.ts'
import { allNullQuery, quarantineQuery } from './side-tables.ts'
import { countRows, timeSpan } from './version-files.ts'

/** What the cleansing job needs besides the tables. */
export type CleanInput = {
  /** Registry rows, all versions of each device; pinned for the run, CON-14. */
  readonly devices: readonly DeviceRow[]
  readonly registryVersion: string
  /** Major schema versions whose meaning is known, ING-7. Default: 1 and 2. */
  readonly knownSchemaMajors?: readonly string[]
  /** Landing versions are taken together up to about this many rows. Default 2 million. */
  readonly maxRowsPerCommit?: number
}

/** The books of one or more commits, CON-13: what came in went somewhere, by reason. */
export type CleanOutcome = {
  readonly commitCount: number
  readonly inputRowCount: number
  /** Rows in the clean table. */
  readonly rowCount: number
  readonly duplicateCount: number
  /** Narrow rows that became part of another row. */
  readonly foldedCount: number
  readonly quarantinedCount: number
  readonly deadLetterCount: number
  /** Landing version up to which everything is clean. */
  readonly landingVersion: number
}

type Settings = CleanInput & { readonly isVersioned: boolean }

type Batch = {
  readonly fromVersion: number
  readonly toVersion: number
  readonly relation: string
}

type BatchCounts = Omit<CleanOutcome, 'commitCount' | 'landingVersion'>

/** Position of this job in the tables it writes; the version is that of the landing table. */
const positionId = 'clean/raw_sensor_readings'

/** Positions `clean/watermark/{generation}/{partition}`: newest arrival cleansed, epoch ms. */
export const watermarkPrefix = 'clean/watermark/'

const sideTables = ['quarantine_sensor_readings', 'removed_duplicates', 'dead_letter_messages']

type Row = readonly unknown[]

async function rowsOf(connection: DuckDBConnection, query: string): Promise<readonly Row[]> {
  return (await connection.runAndReadAll(query)).getRowsJS()
}

async function countOf(connection: DuckDBConnection, table: string): Promise<number> {
  return Number((await rowsOf(connection, `SELECT count(*) FROM ${table}`))[0]?.[0])
}

/**
 * The next batch of landing versions. Where a crashed run left side tables behind, its batch is
 * taken again exactly, so that their positions hold back what they already have.
 */
async function nextBatch(
  lake: Lake,
  landing: Snapshot,
  input: CleanInput,
): Promise<Batch | undefined> {
  const fromVersion = (await lake.table('clean_sensor_readings').position(positionId)) ?? -1
  if (fromVersion >= landing.version) return undefined
  let unfinished = -1
  for (const name of sideTables) {
    unfinished = Math.max(unfinished, (await lake.table(name).position(positionId)) ?? -1)
  }
  const limit = input.maxRowsPerCommit ?? 2_000_000
  const table = lake.table('raw_sensor_readings')
  const files: AddFile[] = []
  let toVersion = fromVersion
  let rowCount = 0
  while (toVersion < landing.version) {
    const added = await table.addedFiles(toVersion, toVersion + 1)
    const isFull = rowCount > 0 && rowCount + countRows(added) > limit
    if (unfinished > fromVersion ? toVersion >= unfinished : isFull) break
    files.push(...added)
    rowCount += countRows(added)
    toVersion += 1
  }
  // Versions that only rearranged files need no commit of their own.
  if (files.length === 0) return undefined
  return { fromVersion, toVersion, relation: table.relation(landing, files) }
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

/** Sets up the views and tables of a batch; returns its counts except the clean rows. */
async function prepareBatch(
  connection: DuckDBConnection,
  lake: Lake,
  batch: Batch,
  input: Settings,
): Promise<BatchCounts> {
  const { fleet } = lake
  await connection.run(arrivalsView(fleet, batch.relation))
  const [summary] = await rowsOf(connection, arrivalSummary)
  const inputRowCount = Number(summary?.[0])
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
  await connection.run(messagesTable(fleet, input.knownSchemaMajors ?? ['1', '2']))
  await connection.run(judgedView(fleet, input.isVersioned))
  const fates = new Map(
    (await rowsOf(connection, fateCounts)).map(([fate, count]) => [fate, Number(count)]),
  )
  const fate = (name: Fate) => fates.get(name) ?? 0
  for (const statement of recallMemory(fleet)) await connection.run(statement)
  return {
    inputRowCount,
    rowCount: fate('clean'),
    duplicateCount,
    foldedCount,
    quarantinedCount: fate('DEVICE_UNKNOWN') + fate('SCHEMA_VERSION_UNKNOWN'),
    deadLetterCount: fate('ALL_SENSORS_NULL'),
  }
}

/** E2.1 and E2.5: no id twice, and every row accounted for. */
async function checkBalance(
  connection: DuckDBConnection,
  batch: Batch,
  counts: BatchCounts,
  writtenCount: number,
): Promise<void> {
  const { inputRowCount, duplicateCount, foldedCount, quarantinedCount, deadLetterCount } = counts
  const accounted = writtenCount + duplicateCount + foldedCount + quarantinedCount + deadLetterCount
  const where = `landing versions ${batch.fromVersion + 1} to ${batch.toVersion}`
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

/** Watermark positions that advance: backdated imports leave them where they are. */
async function watermarks(connection: DuckDBConnection, table: LakeTable) {
  const { transactions } = await table.snapshot()
  return (await rowsOf(connection, newestArrivals))
    .map(([generation, partition, newestMs]) => ({
      appId: `${watermarkPrefix}${generation}/${partition}`,
      version: Number(newestMs),
    }))
    .filter(({ appId, version }) => version > (transactions.get(appId) ?? -1))
}

async function commitBatch(
  connection: DuckDBConnection,
  context: JobContext,
  batch: Batch,
  input: Settings,
): Promise<BatchCounts> {
  const { lake, nowMs } = context
  const { fleet } = lake
  const counts = await prepareBatch(connection, lake, batch, input)
  const position = { appId: positionId, version: batch.toVersion }
  const base = { connection, operation: 'CLEAN', nowMs } as const
  const sides: readonly (readonly [string, number, string])[] = [
    [
      'quarantine_sensor_readings',
      counts.quarantinedCount,
      quarantineQuery(fleet, input.registryVersion),
    ],
    ['removed_duplicates', counts.duplicateCount, removedDuplicatesQuery],
    ['dead_letter_messages', counts.deadLetterCount, allNullQuery(fleet)],
  ]
  const clean = lake.table('clean_sensor_readings')
  const write: TableWrite = {
    ...base,
    query: cleanQuery(fleet, { where: "fate = 'clean'", hasMemory: true }),
    positions: [position, ...(await watermarks(connection, clean))],
    beforeCommit: async (rowCount) => {
      await checkBalance(connection, batch, counts, rowCount)
      for (const [name, count, query] of sides) {
        if (count > 0) await lake.table(name).write({ ...base, query, positions: [position] })
      }
    },
  }
  await clean.write(write).catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (!message.includes('check E2.')) throw cause
    throw new IsothermError('GATE_FAILED', `${message}; nothing was committed`, { cause })
  })
  return counts
}

/**
 * Cleanses all landing rows that are not yet clean (CON-7 to CON-15), in commits of bounded size.
 * Safe to run again after any crash: the same landing versions and registry give the same rows once.
 * `TIMEZONE_SUSPECT` (ING-45) is not set.
 * @throws IsothermError GATE_FAILED when a check of CON-41 fails; the batch stays pending
 */
export async function cleanJob(context: JobContext, input: CleanInput): Promise<CleanOutcome> {
  const { lake, onProgress } = context
  checkSensorCount(lake.fleet)
  const landing = await lake.table('raw_sensor_readings').snapshot()
  const clean = lake.table('clean_sensor_readings')
  let total: CleanOutcome = {
    commitCount: 0,
    inputRowCount: 0,
    rowCount: 0,
    duplicateCount: 0,
    foldedCount: 0,
    quarantinedCount: 0,
    deadLetterCount: 0,
    landingVersion: (await clean.position(positionId)) ?? -1,
  }
  if (total.landingVersion >= landing.version) return total
  return await lake.withConnection(async (connection) => {
    const registry = await createRegistryTable(connection, lake.fleet, input.devices)
    const settings = { ...input, ...registry }
    let memoryVersion = await loadMemory(connection, lake)
    for (;;) {
      const batch = await nextBatch(lake, landing, input)
      if (batch === undefined) break
      const counts = await commitBatch(connection, context, batch, settings)
      total = addCounts(total, counts, batch.toVersion)
      const { version } = await clean.snapshot()
      memoryVersion = await catchUp(connection, lake, memoryVersion, version)
      onProgress?.('cleaned', batch.toVersion, landing.version)
    }
    await saveMemory(connection, lake, memoryVersion)
    return total
  })
}

function addCounts(total: CleanOutcome, counts: BatchCounts, landingVersion: number): CleanOutcome {
  return {
    commitCount: total.commitCount + 1,
    inputRowCount: total.inputRowCount + counts.inputRowCount,
    rowCount: total.rowCount + counts.rowCount,
    duplicateCount: total.duplicateCount + counts.duplicateCount,
    foldedCount: total.foldedCount + counts.foldedCount,
    quarantinedCount: total.quarantinedCount + counts.quarantinedCount,
    deadLetterCount: total.deadLetterCount + counts.deadLetterCount,
    landingVersion,
  }
}
