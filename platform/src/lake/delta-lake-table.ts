import {
  type AddFile,
  cleanLog,
  compact,
  createTable,
  type DeltaTable,
  discardFiles,
  folderStore,
  memoryStore,
  openTable,
  parseStatistics,
  relationSql,
  tableExists,
  vacuum,
  writeFiles,
} from '@isotherm/delta'
import {
  deltaFields,
  duckDbType,
  IsothermError,
  quoteName,
  type TableContract,
} from '../contracts/index.ts'
import type { LakeTable, TableWrite, WriteOutcome } from './lake-table.ts'

/** Commits lost to other writers before a write gives up. */
const maxAttempts = 5

/** A partition with fewer small files than this is left alone. */
const minSmallFiles = 8

/** Time travel reaches 90 days back, ING-38: files and the log that names them are kept so long. */
const configuration = {
  'delta.dataSkippingNumIndexedCols': '8',
  'delta.deletedFileRetentionDuration': 'interval 90 days',
  'delta.logRetentionDuration': 'interval 97 days',
}

/** The files whose rows nobody replaces any more. */
function settledFiles(contract: TableContract, nowMs: number): (file: AddFile) => boolean {
  const { settlesAfterDays, partitionColumns } = contract
  const dateColumn = partitionColumns.find((name) => name.endsWith('date'))
  if (settlesAfterDays === undefined || dateColumn === undefined) return () => true
  const before = new Date(nowMs - settlesAfterDays * 86_400_000).toISOString().slice(0, 10)
  return ({ partitionValues }) => (partitionValues[dateColumn] ?? '') < before
}

/** Gives a table of an earlier release the nullable columns of a new one; old rows have null. */
async function addNewColumns(table: DeltaTable, contract: TableContract): Promise<void> {
  const known = new Set((await table.snapshot()).schema.fields.map(({ name }) => name))
  const fields = deltaFields(contract).filter(({ name, nullable }) => nullable && !known.has(name))
  if (fields.length > 0) await table.addColumns(fields)
}

async function opened(
  directory: string,
  contract: TableContract,
  readOnly: boolean,
): Promise<DeltaTable> {
  const store = folderStore(directory)
  if (await tableExists(store)) {
    const table = await openTable(store)
    if (!readOnly) await addNewColumns(table, contract)
    return table
  }
  return createTable(readOnly ? memoryStore() : store, {
    name: contract.name,
    description: contract.purpose,
    schema: { type: 'struct', fields: deltaFields(contract) },
    partitionColumns: [...contract.partitionColumns],
    configuration,
  })
}

/** Gives a table of an earlier release the properties of a new one. */
async function keepProperties(table: DeltaTable, timestampMs: number): Promise<void> {
  const found = (await table.snapshot()).metadata.configuration
  const isKept = Object.entries(configuration).every(([name, value]) => found[name] === value)
  if (!isKept) await table.setProperties(configuration, { timestampMs })
}

function isRepeated(stored: ReadonlyMap<string, number>, write: TableWrite): boolean {
  const positions = write.positions ?? []
  return (
    positions.length > 0 &&
    positions.every(({ appId, version }) => (stored.get(appId) ?? -1) >= version)
  )
}

/** A query with exactly the contract's columns in the contract's order and types. */
function conformed(contract: TableContract, query: string): string {
  const columns = contract.columns.map((column) => {
    const name = quoteName(column.name)
    return `${name}::${duckDbType(column)} AS ${name}`
  })
  return `SELECT ${columns.join(', ')} FROM (${query})`
}

async function writeOnce(
  table: DeltaTable,
  contract: TableContract,
  write: TableWrite,
): Promise<WriteOutcome> {
  const before = await table.snapshot()
  if (isRepeated(before.transactions, write)) return { kind: 'repeated' }
  const adds = await writeFiles(write.connection, table, conformed(contract, write.query), {
    ...(write.keepsOrder === true ? {} : { orderBy: contract.sortColumns }),
  })
  const rowCount = adds.reduce((sum, add) => sum + (parseStatistics(add)?.numRecords ?? 0), 0)
  try {
    await write.beforeCommit?.(rowCount)
  } catch (error) {
    await discardFiles(table, adds)
    throw error
  }
  const replaces = write.replaces ?? []
  for (let attempt = 1; ; attempt++) {
    const outcome = await table.commit({
      ...(write.readVersion === undefined
        ? { readVersion: before.version }
        : { readVersion: write.readVersion }),
      adds,
      removes: replaces,
      transactions: [...(write.positions ?? [])],
      operation: write.operation,
      blindAppend: replaces.length === 0,
      timestampMs: write.nowMs,
    })
    if (outcome.kind === 'committed') return { kind: 'written', version: outcome.version, rowCount }
    // A rival with the same position finished the same work: ours is not needed any more.
    if (isRepeated((await table.snapshot()).transactions, write)) return { kind: 'repeated' }
    if (attempt === maxAttempts || replaces.length > 0) {
      throw new IsothermError(
        'COMMIT_FAILED',
        `${contract.name}: commit lost to another writer (${outcome.reason}); run the stage again`,
      )
    }
  }
}

/** Opens a table of the lake, creating it on first use; read only, a missing one is empty. */
export async function openDeltaLakeTable(
  directory: string,
  contract: TableContract,
  readOnly: boolean,
): Promise<LakeTable> {
  const table = await opened(directory, contract, readOnly)
  return {
    contract,
    snapshot: (at) => table.snapshot(at),
    relation: (snapshot, files) =>
      relationSql(table, snapshot, files === undefined ? {} : { files }),
    addedFiles: async (fromVersionExclusive, toVersionInclusive) => {
      if (toVersionInclusive <= fromVersionExclusive) return []
      const added = new Map<string, AddFile>()
      for await (const change of table.changes(fromVersionExclusive, toVersionInclusive)) {
        for (const add of change.adds) if (add.dataChange) added.set(add.path, add)
        // A compaction moves rows to other files; readers of changes keep to the old ones, which
        // stay on disk until VACUUM.
        for (const remove of change.removes) if (remove.dataChange) added.delete(remove.path)
      }
      return [...added.values()]
    },
    position: async (appId) => (await table.snapshot()).transactions.get(appId),
    write: (write) => writeOnce(table, contract, write),
    maintain: async (connection, nowMs) => {
      await keepProperties(table, nowMs)
      const compacted = await compact(table, {
        connection,
        minFileCount: minSmallFiles,
        selects: settledFiles(contract, nowMs),
        orderBy: contract.sortColumns,
        timestampMs: nowMs,
      })
      const vacuumed = await vacuum(table, { nowMs })
      await cleanLog(table, { nowMs })
      return {
        removedFileCount: compacted.kind === 'compacted' ? compacted.removedFileCount : 0,
        addedFileCount: compacted.kind === 'compacted' ? compacted.addedFileCount : 0,
        deletedFileCount: vacuumed.files.length,
      }
    },
  }
}
