import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { sqlName, sqlText } from '../data/sql-text.ts'
import { CheckpointUnreadable, ObjectNotFound } from '../errors.ts'
import { isRecord } from '../schema/schema.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { actionLines, parseActions } from './action-json.ts'
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

/**
 * The actions of a checkpoint, all its parts together. Missing, extra and reordered columns are
 * accepted.
 * @throws CheckpointUnreadable
 */
export async function readCheckpoint(
  store: ObjectStore,
  paths: readonly string[],
): Promise<Actions> {
  const origin = { table: store.location, where: paths.join(', ') }
  try {
    const lines = await withScratch(async ({ connection, folder }) => {
      const files: string[] = []
      for (const [index, path] of paths.entries()) {
        const file = join(folder, `${index}.parquet`)
        await writeFile(file, await store.read(path))
        files.push(file)
      }
      const found: string[] = []
      for (const file of files) found.push(...(await linesOf(connection, file)))
      return found
    })
    return parseActions(lines, origin)
  } catch (cause) {
    throw new CheckpointUnreadable({
      ...origin,
      what: 'checkpoint does not load',
      found: cause instanceof Error ? cause.message : String(cause),
      fix: 'delete the checkpoint if the commits before it still exist, or restore it from a backup',
      cause,
    })
  }
}

async function linesOf(connection: DuckDBConnection, file: string): Promise<readonly string[]> {
  const source = `read_parquet(${sqlText(file)}, hive_partitioning=false)`
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
  const present = described.getRowObjectsJson().map((row) => String(row.column_name))
  const lines: string[] = []
  for (const name of Object.keys(checkpointColumns)) {
    if (!present.includes(name)) continue
    const column = sqlName(name)
    const result = await connection.runAndReadAll(
      `SELECT to_json({${sqlText(name)}: ${column}})::VARCHAR AS line FROM ${source}
       WHERE ${column} IS NOT NULL`,
    )
    for (const [line] of result.getRowsJson()) {
      if (typeof line === 'string') lines.push(line)
    }
  }
  return lines
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

/** The version the hint names, or undefined if it is missing or damaged. */
export async function readHint(store: ObjectStore): Promise<number | undefined> {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(await store.read(lastCheckpointPath)))
    return isRecord(json) && typeof json.version === 'number' ? json.version : undefined
  } catch (cause) {
    // The hint only saves a listing, so a torn or just replaced one costs nothing but that.
    if (cause instanceof SyntaxError || cause instanceof ObjectNotFound) return undefined
    throw cause
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
