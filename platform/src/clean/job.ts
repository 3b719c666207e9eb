import type { DuckDBConnection } from '@duckdb/node-api'
import type { AddFile, Snapshot } from '@isotherm/delta'
import { type DeviceRow, IsothermError } from '../contracts/index.ts'
import type { JobContext, Lake, LakeTable, TableWrite } from '../lake/index.ts'
import { newestArrivals } from './arrivals.ts'
import type { BatchGates } from './batch-gates.ts'
import {
  type BatchCounts,
  type BatchSettings,
  checkBalance,
  prepareBatch,
  rowsOf,
} from './clean-batch.ts'
import { cleanQuery } from './clean-query.ts'
import { removedDuplicatesQuery } from './duplicates.ts'
import { catchUp, loadMemory, saveMemory } from './memory-store.ts'
import { createRegistryTable } from './registry-table.ts'
import { checkSensorCount } from './sensor-mask.ts'
import { allNullQuery, quarantineQuery } from './side-tables.ts'
import { countRows } from './version-files.ts'

/** What the cleansing job needs besides the tables. */
export type CleanInput = {
  /** Registry rows, all versions of each device; pinned for the run, CON-14. */
  readonly devices: readonly DeviceRow[]
  readonly registryVersion: string
  /** Major schema versions whose meaning is known, ING-7. Default: 1 and 2. */
  readonly knownSchemaMajors?: readonly string[]
  /** Landing versions are taken together up to about this many rows. Default 2 million. */
  readonly maxRowsPerCommit?: number
  /** Gates that may hold slices back; without them every readable row goes on. */
  readonly gates?: BatchGates
}

/** The books of one or more commits, CON-13: what came in went somewhere, by reason. */
export type CleanOutcome = BatchCounts & {
  readonly commitCount: number
  /** Landing version up to which everything is clean. */
  readonly landingVersion: number
}

type Settings = CleanInput & BatchSettings

type Batch = {
  readonly fromVersion: number
  readonly toVersion: number
  readonly relation: string
}

/** Position of this job in the tables it writes; the version is that of the landing table. */
const positionId = 'clean/raw_sensor_readings'

/** Positions `clean/watermark/{generation}/{partition}`: newest arrival cleansed, epoch ms. */
export const watermarkPrefix = 'clean/watermark/'

const sideTables = ['quarantine_sensor_readings', 'removed_duplicates', 'dead_letter_messages']

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

/**
 * Writes rows set aside. A run that died after this write may have judged by another registry or
 * other gates: what it did not write is added, so that no row is nowhere.
 */
async function writeSide(
  table: LakeTable,
  write: TableWrite,
  position: { readonly appId: string; readonly version: number },
): Promise<void> {
  const [keyColumn] = table.contract.key
  const isRepeated = ((await table.position(position.appId)) ?? -1) >= position.version
  if (!isRepeated || keyColumn !== 'event_id') {
    await table.write({ ...write, positions: [position] })
    return
  }
  const known = table.relation(await table.snapshot())
  const query = `SELECT * FROM (${write.query}) AS aside
    WHERE NOT EXISTS (FROM ${known} AS kept WHERE kept.event_id = aside.event_id)`
  const [missing] = await rowsOf(write.connection, `SELECT count(*) FROM (${query})`)
  if (Number(missing?.[0]) > 0) await table.write({ ...write, query })
}

async function commitBatch(
  connection: DuckDBConnection,
  context: JobContext,
  batch: Batch,
  input: Settings,
): Promise<BatchCounts> {
  const { lake, nowMs } = context
  const { fleet } = lake
  const { counts, hasZoneSuspects } = await prepareBatch(connection, lake, batch.relation, {
    ...input,
    landingVersion: batch.fromVersion,
  })
  const where = `landing versions ${batch.fromVersion + 1} to ${batch.toVersion}`
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
    query: cleanQuery(fleet, { where: "fate = 'clean'", hasMemory: true, hasZoneSuspects }),
    positions: [position, ...(await watermarks(connection, clean))],
    beforeCommit: async (rowCount) => {
      await checkBalance(connection, where, counts, rowCount)
      for (const [name, count, query] of sides) {
        if (count > 0) await writeSide(lake.table(name), { ...base, query }, position)
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
    heldCount: 0,
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
    heldCount: total.heldCount + counts.heldCount,
    deadLetterCount: total.deadLetterCount + counts.deadLetterCount,
    landingVersion,
  }
}
