import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type FleetDefinition, fleetTables, IsothermError } from '../contracts/index.ts'
import { openDeltaLakeTable } from './delta-lake-table.ts'
import { openEngine } from './duckdb-engine.ts'
import type { Lake, LakeTable } from './lake-table.ts'
import { openQueryEngine } from './query-engine.ts'

/** Where a lake lives and how much of the machine it may use. */
export type LakeOptions = {
  /** Folder of the tables; created if it is not there. */
  readonly directory: string
  readonly fleet: FleetDefinition
  readonly threadCount?: number
  readonly memoryBytes?: number
  /** Folder for spilled data, emptied at start; default `.temporary` beside the tables. */
  readonly temporaryDirectory?: string
  /** Create nothing: for readers beside a running process. A missing table reads as empty. */
  readonly readOnly?: boolean
}

/** Opens the lake of a fleet: one Delta table per contract, created on first use. */
export async function openLake({
  directory,
  fleet,
  readOnly = false,
  temporaryDirectory = join(directory, '.temporary'),
  ...engineOptions
}: LakeOptions): Promise<Lake> {
  if (!readOnly) await mkdir(directory, { recursive: true })
  const engine = await openEngine({ temporaryDirectory, ...engineOptions })
  const contracts = fleetTables(fleet)
  const tables = new Map<string, LakeTable>()
  for (const contract of contracts) {
    const location = join(directory, contract.name)
    tables.set(contract.name, await openDeltaLakeTable(location, contract, readOnly))
  }
  const table = (name: string): LakeTable => {
    const found = tables.get(name)
    if (found !== undefined) return found
    throw new IsothermError(
      'TABLE_UNKNOWN',
      `there is no table ${name}; the tables are ${[...tables.keys()].join(', ')}`,
    )
  }
  const queryEngine = await openQueryEngine({
    tablesDirectory: directory,
    temporaryDirectory: join(temporaryDirectory, 'queries'),
    tableNames: [...tables.keys()],
    relationOf: async (mention) => {
      const mentioned = table(mention.table)
      return mentioned.relation(await mentioned.snapshot(mention))
    },
  })
  return {
    directory,
    fleet,
    table,
    tableNames: [...tables.keys()],
    temporaryDirectory,
    withConnection: engine.withConnection,
    query: queryEngine.query,
    close: async () => {
      queryEngine.close()
      engine.close()
    },
  }
}
