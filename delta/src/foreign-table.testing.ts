// Tables as other engines write them: data files by plain SQL, the log by hand.
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlText } from './data/sql-text.ts'
import { commitPath } from './log/log-names.ts'
import { openTable } from './open-table.ts'
import type { DeltaField, DeltaSchema, DeltaType } from './schema/schema.ts'
import { schemaString } from './schema/schema.ts'
import { scratchFolder } from './scratch.testing.ts'
import { folderStore } from './store/folder-store.ts'

/** The parts of a table that do not change from commit to commit. */
export interface ForeignShape {
  readonly schema: DeltaSchema
  readonly partitionColumns?: readonly string[]
  readonly configuration?: Readonly<Record<string, string>>
  readonly readerFeatures?: readonly string[]
  readonly protocol?: unknown
}

/** An action of the log, as JSON. */
export type ForeignAction = Readonly<Record<string, unknown>>

/** A table in a new folder; `write` makes a data file, `commit` the next version. */
export async function foreignTable(connection: DuckDBConnection, shape: ForeignShape) {
  const root = await scratchFolder()
  let version = 0
  const { readerFeatures = [], configuration = {}, partitionColumns = [] } = shape
  const modern = {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures,
    writerFeatures: readerFeatures,
  }
  const plain = { minReaderVersion: 1, minWriterVersion: 2 }
  const protocol = shape.protocol ?? (readerFeatures.length > 0 ? modern : plain)
  const metaDataOf = (schema: DeltaSchema) => ({
    id: 'foreign',
    format: { provider: 'parquet', options: {} },
    schemaString: schemaString(schema),
    partitionColumns,
    configuration,
  })
  const commit = (actions: readonly ForeignAction[], info: ForeignAction = {}) => {
    const file = join(root, commitPath(version))
    mkdirSync(dirname(file), { recursive: true })
    const head = version === 0 ? [{ protocol }, { metaData: metaDataOf(shape.schema) }] : []
    const lines = [{ commitInfo: { operation: 'WRITE', ...info } }, ...head, ...actions]
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'))
    return version++
  }
  const write = async (name: string, query: string, copyOptions = '') => {
    const file = join(root, name)
    mkdirSync(dirname(file), { recursive: true })
    await connection.run(`COPY (${query}) TO ${sqlText(file)} (FORMAT parquet${copyOptions})`)
    return { path: name, partitionValues: {}, ...sizeOf(file), dataChange: true }
  }
  return {
    root,
    commit,
    write,
    metaDataOf,
    open: () => openTable(folderStore(root)),
  }
}

function sizeOf(file: string) {
  return { size: statSync(file).size, modificationTime: 1_763_683_200_000 }
}

/** A field whose data files call it otherwise. */
export function mappedField(
  name: string,
  type: DeltaType,
  id: number,
  physicalName = `col-${id}`,
): DeltaField {
  const metadata = {
    'delta.columnMapping.id': id,
    'delta.columnMapping.physicalName': physicalName,
  }
  return { name, type, nullable: true, metadata }
}

/** A schema of fields. */
export function structOf(...fields: readonly DeltaField[]): DeltaSchema {
  return { type: 'struct', fields }
}
