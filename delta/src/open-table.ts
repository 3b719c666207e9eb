import { InvalidSchema, TableAlreadyExists } from './errors.ts'
import type { Host } from './host.ts'
import { systemHost } from './host.ts'
import { actionLines } from './log/action-json.ts'
import type { Commit } from './log/actions.ts'
import { writeChecksum } from './log/checksum.ts'
import { listLog } from './log/log-listing.ts'
import { commitPath } from './log/log-names.ts'
import { loadState } from './log/log-reader.ts'
import { createdProtocol } from './log/protocol.ts'
import { advance, emptyState } from './log/replay.ts'
import type { TableFeature } from './log/table-features.ts'
import { featuresOfProperties, hasInCommitTimestamps, withFeatures } from './log/table-features.ts'
import { checkProperties } from './log/table-properties.ts'
import type { DeltaSchema } from './schema/schema.ts'
import { schemaString } from './schema/schema.ts'
import { checkNewSchema } from './schema/schema-rules.ts'
import type { ObjectStore } from './store/object-store.ts'
import type { DeltaTable, TableSettings } from './table.ts'
import { tableAt } from './table.ts'

/** A table to be. */
export interface NewTable {
  readonly name: string
  /** Columns, partition columns included (at the end by habit); all nullable. */
  readonly schema: DeltaSchema
  /** Strings, dates or whole numbers; they are kept in the log and not in the data files. */
  readonly partitionColumns?: readonly string[]
  readonly description?: string
  /** Table properties, for instance `delta.checkpointInterval`. */
  readonly configuration?: Readonly<Record<string, string>>
  /**
   * Features beyond the protocol (1, 2): `timestampNtz` for wall-clock columns. Engines without them
   * refuse the table. Default: those that `configuration` asks for.
   */
  readonly features?: readonly TableFeature[]
  /** Time of version 0, milliseconds since 1970. Default: the host's clock. */
  readonly timestampMs?: number
}

/** Where time and names come from. */
export interface TableOptions {
  /** Default: `systemHost`. */
  readonly host?: Host
  /**
   * When the checksum and the checkpoint that a commit makes due are written: `before-return` of
   * `commit`, in the `background` (await `settled` before the process ends), or `never`.
   * Default `before-return`.
   */
  readonly upkeep?: TableSettings['upkeep']
}

/**
 * Creates a table at reader version 1, writer version 2, which every Delta engine reads and writes,
 * or higher where `features` or the properties ask for it.
 * @throws TableAlreadyExists, InvalidSchema, InvalidProperty
 */
export async function createTable(
  store: ObjectStore,
  request: NewTable,
  options: TableOptions = {},
): Promise<DeltaTable> {
  const host = options.host ?? systemHost
  const { name, schema, partitionColumns = [], description, configuration = {} } = request
  const features = [...(request.features ?? []), ...featuresOfProperties(configuration)]
  const wallClock = features.includes('timestampNtz')
  checkNewSchema(schema, partitionColumns, store.location, { wallClock })
  checkProperties(configuration, store.location)
  if (schema.fields.length === 0) {
    throw new InvalidSchema({ table: store.location, what: 'no columns', fix: 'add a column' })
  }
  const timestampMs = request.timestampMs ?? host.nowMs()
  const txnId = host.uuid()
  const commit: Commit = {
    version: 0,
    timestampMs,
    commitInfo: {
      ...(hasInCommitTimestamps(configuration) ? { inCommitTimestamp: timestampMs } : {}),
      timestamp: timestampMs,
      operation: 'CREATE TABLE',
      operationParameters: { partitionBy: JSON.stringify(partitionColumns) },
      isBlindAppend: false,
      txnId,
    },
    protocol: withFeatures(createdProtocol, features),
    metadata: {
      id: host.uuid(),
      name,
      ...(description === undefined ? {} : { description }),
      schemaString: schemaString(schema),
      partitionColumns,
      configuration,
      createdTime: timestampMs,
    },
    transactions: [],
    domains: [],
    removes: [],
    adds: [],
  }
  const bytes = new TextEncoder().encode(`${actionLines(commit).join('\n')}\n`)
  const isNew =
    !(await tableExists(store)) &&
    (await store.putIfAbsent(commitPath(0), bytes, { modifiedMs: timestampMs }))
  if (!isNew) {
    throw new TableAlreadyExists({
      table: store.location,
      what: 'a Delta table is here already',
      fix: 'open it with openTable, or choose another folder',
    })
  }
  const state = advance(emptyState, [commit], store.location)
  const settings = settingsOf(options)
  if (settings.upkeep !== 'never') await writeChecksum(store, state, txnId)
  return tableAt(store, settings, state)
}

/**
 * Opens a table at its newest version.
 * @throws TableNotFound, LogCorrupt, CheckpointUnreadable, UnsupportedFeature
 */
export async function openTable(
  store: ObjectStore,
  options: TableOptions = {},
): Promise<DeltaTable> {
  return tableAt(store, settingsOf(options), await loadState(store))
}

/** True if the store holds a Delta log with a commit or a checkpoint. */
export async function tableExists(store: ObjectStore): Promise<boolean> {
  const { commits, checkpoints } = await listLog(store, 0)
  return commits.length > 0 || checkpoints.length > 0
}

function settingsOf({ host = systemHost, upkeep = 'before-return' }: TableOptions): TableSettings {
  return { host, upkeep }
}
