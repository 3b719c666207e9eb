import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { sqlName, sqlText } from '../data/sql-text.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { actionLines } from './action-json.ts'
import type { Actions } from './actions.ts'
import { checkpointPath, lastCheckpointPath } from './log-names.ts'
import type { LogState } from './replay.ts'

/** Columns of a classic checkpoint in Spark's order; Trino reads by position. */
const checkpointColumns: Readonly<Record<string, string>> = (() => {
  const texts = 'MAP(VARCHAR, VARCHAR)'
  const vector =
    'STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, "offset" INTEGER, sizeInBytes INTEGER,' +
    ' cardinality BIGINT, maxRowIndex BIGINT)'
  return {
    txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
    add:
      `STRUCT(path VARCHAR, partitionValues ${texts}, size BIGINT, modificationTime BIGINT,` +
      ` dataChange BOOLEAN, tags ${texts}, deletionVector ${vector}, baseRowId BIGINT,` +
      ' defaultRowCommitVersion BIGINT, stats VARCHAR)',
    remove:
      'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN,' +
      ` extendedFileMetadata BOOLEAN, partitionValues ${texts}, size BIGINT,` +
      ` deletionVector ${vector}, baseRowId BIGINT, defaultRowCommitVersion BIGINT)`,
    metaData:
      'STRUCT(id VARCHAR, "name" VARCHAR, description VARCHAR,' +
      ` "format" STRUCT(provider VARCHAR, options ${texts}), schemaString VARCHAR,` +
      ` partitionColumns VARCHAR[], configuration ${texts}, createdTime BIGINT)`,
    protocol:
      'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[],' +
      ' writerFeatures VARCHAR[])',
    domainMetadata: 'STRUCT("domain" VARCHAR, configuration VARCHAR, removed BOOLEAN)',
  }
})()

/**
 * Writes the checkpoint of a state and points the hint at it. Both may race with others: the
 * checkpoint is a function of the log, and the hint is only a hint.
 * @param nowMs tombstones older than `retentionMs` are left out
 */
export async function writeCheckpoint(
  store: ObjectStore,
  state: LogState,
  { nowMs, retentionMs }: { readonly nowMs: number; readonly retentionMs: number },
): Promise<void> {
  const lines = actionLines(checkpointActions(state, nowMs - retentionMs))
  const bytes = await withScratch(async ({ connection, folder }) => {
    const source = join(folder, 'actions.ndjson')
    const target = join(folder, 'checkpoint.parquet')
    await writeFile(source, `${lines.join('\n')}\n`)
    const columns = Object.entries(checkpointColumns)
      .map(([name, type]) => `${sqlName(name)}: ${sqlText(type)}`)
      .join(', ')
    await connection.run(
      `COPY (SELECT * FROM read_ndjson(${sqlText(source)}, columns={${columns}},
        maximum_object_size=1073741824)) TO ${sqlText(target)} (FORMAT parquet, COMPRESSION zstd)`,
    )
    return await readFile(target)
  })
  await store.putIfAbsent(checkpointPath(state.version), bytes)
  const hint = {
    version: state.version,
    size: lines.length,
    sizeInBytes: bytes.length,
    numOfAddFiles: state.files.size,
  }
  // A reader between these two calls finds no hint and lists the log instead.
  await store.remove(lastCheckpointPath)
  await store.putIfAbsent(lastCheckpointPath, new TextEncoder().encode(JSON.stringify(hint)))
}

/** Delta: "Checkpoints": everything live, and removals that VACUUM still has to respect. */
function checkpointActions(state: LogState, expiredBeforeMs: number): Actions {
  const removes = [...state.tombstones.values()].filter(
    (remove) => (remove.deletionTimestamp ?? 0) > expiredBeforeMs,
  )
  return {
    ...(state.protocol === undefined ? {} : { protocol: state.protocol }),
    ...(state.metadata === undefined ? {} : { metadata: state.metadata }),
    transactions: [...state.transactions.values()],
    domains: [...state.domains.values()],
    removes: removes.map((remove) => ({ ...remove, dataChange: false })),
    adds: [...state.files.values()].map((add) => ({ ...add, dataChange: false })),
  }
}

interface Scratch {
  readonly connection: DuckDBConnection
  readonly folder: string
}

/** Runs a task with a database and a folder of its own, and takes both away afterwards. */
async function withScratch<T>(task: (scratch: Scratch) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'delta-checkpoint-'))
  try {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    try {
      const connection = await instance.connect()
      try {
        return await task({ connection, folder })
      } finally {
        connection.closeSync()
      }
    } finally {
      instance.closeSync()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
