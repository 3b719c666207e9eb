import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { CheckpointUnreadable, ObjectNotFound } from '../errors.ts'
import { isRecord } from '../schema/schema.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { parseActions } from './action-json.ts'
import type { Actions } from './actions.ts'
import { parquetActions } from './checkpoint-columns.ts'
import { checkpointPath, lastCheckpointPath, sidecarPath } from './log-names.ts'

/**
 * The actions of a checkpoint, all its parts and sidecars together. Classic, multi-part and V2 forms;
 * missing, extra and reordered columns are accepted.
 * @param paths the checkpoint's files, sidecars excepted
 * @throws CheckpointUnreadable
 */
export async function readCheckpoint(
  store: ObjectStore,
  paths: readonly string[],
): Promise<Actions> {
  const origin = { table: store.location, where: paths.join(', ') }
  try {
    return await withFiles(store, async (read) => {
      const parts = await inTurn(paths, read)
      const names = parts.flatMap((part) => part.sidecars ?? [])
      return merged([...parts, ...(await inTurn(names.map(sidecarPath), read))])
    })
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

/** Paths of the sidecars that a checkpoint names. */
export async function sidecarsOf(
  store: ObjectStore,
  paths: readonly string[],
): Promise<readonly string[]> {
  const parts = await withFiles(store, (read) => inTurn(paths, read))
  return parts.flatMap((part) => (part.sidecars ?? []).map(sidecarPath))
}

/** What the hint says of the newest checkpoint. */
export interface CheckpointHint {
  readonly version: number
  /** Path of the checkpoint if it is a classic one in one file. */
  readonly classicPath?: string
}

/** The hint, or undefined if it is missing or damaged. */
export async function readHint(store: ObjectStore): Promise<CheckpointHint | undefined> {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(await store.read(lastCheckpointPath)))
    if (!isRecord(json)) return undefined
    const { version, parts, v2Checkpoint } = json
    const isVersion = typeof version === 'number' && Number.isSafeInteger(version) && version >= 0
    if (!isVersion) return undefined
    const isClassic = (parts ?? 1) === 1 && (v2Checkpoint ?? null) === null
    return { version, ...(isClassic ? { classicPath: checkpointPath(version) } : {}) }
  } catch (cause) {
    // The hint only saves a listing, so a torn or just replaced one costs nothing but that.
    if (cause instanceof SyntaxError || cause instanceof ObjectNotFound) return undefined
    throw cause
  }
}

type ReadFile = (path: string) => Promise<Actions>

/** Runs a task that reads checkpoint files; a database is made for the first Parquet file only. */
async function withFiles<T>(store: ObjectStore, task: (read: ReadFile) => Promise<T>): Promise<T> {
  let instance: DuckDBInstance | undefined
  let connection: DuckDBConnection | undefined
  try {
    return await task(async (path) => {
      const origin = { table: store.location, where: path }
      if (path.endsWith('.json')) {
        const text = new TextDecoder().decode(await store.read(path))
        return parseActions(text.split('\n'), origin)
      }
      instance ??= await DuckDBInstance.create(':memory:', { threads: '2' })
      connection ??= await instance.connect()
      const open = connection
      return await withLocalFile(store, path, (file) => parquetActions(open, file, origin))
    })
  } finally {
    connection?.closeSync()
    instance?.closeSync()
  }
}

/** Runs a task on the object as a file: where it lies, or else in a copy. */
async function withLocalFile<T>(
  store: ObjectStore,
  path: string,
  task: (file: string) => Promise<T>,
): Promise<T> {
  if (store.localFolder !== undefined) return await task(join(store.localFolder, path))
  const folder = await mkdtemp(join(tmpdir(), 'delta-checkpoint-'))
  try {
    const file = join(folder, 'part.parquet')
    await writeFile(file, await store.read(path))
    return await task(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Parts one after another: they share one database connection. */
async function inTurn(paths: readonly string[], read: ReadFile): Promise<readonly Actions[]> {
  const parts: Actions[] = []
  for (const path of paths) parts.push(await read(path))
  return parts
}

function merged(parts: readonly Actions[]): Actions {
  const protocol = parts.find((part) => part.protocol !== undefined)?.protocol
  const metadata = parts.find((part) => part.metadata !== undefined)?.metadata
  return {
    ...(protocol === undefined ? {} : { protocol }),
    ...(metadata === undefined ? {} : { metadata }),
    transactions: parts.flatMap((part) => part.transactions),
    domains: parts.flatMap((part) => part.domains),
    removes: parts.flatMap((part) => part.removes),
    adds: parts.flatMap((part) => part.adds),
  }
}
