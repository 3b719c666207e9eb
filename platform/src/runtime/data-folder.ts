import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { IsothermError } from '../contracts/index.ts'
import { requireDiskRoom } from './disk-room.ts'

/** Layout version of a data folder; a folder of a newer one is refused untouched. */
const layoutVersion = 1

/** An open data folder: its paths, its secret and the lock that keeps other processes out. */
export type DataFolder = {
  readonly directory: string
  readonly logDirectory: string
  readonly ledgerDirectory: string
  readonly tablesDirectory: string
  readonly modelsDirectory: string
  readonly statePath: string
  readonly certificatesDirectory: string
  /** 32 bytes that encrypt stored device keys; in a file only its owner can read. */
  readonly secretKey: Uint8Array
  readonly release: () => void
}

type Layout = { readonly layout: number; readonly fleet: string }

function readLayout(path: string): Layout {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Layout
  } catch (cause) {
    throw new IsothermError(
      'INPUT_INVALID',
      `${path} is not readable as JSON; it belongs to Isotherm: restore it from a backup`,
      { cause },
    )
  }
}

function checkLayout(directory: string, fleetName: string): void {
  const path = join(directory, 'isotherm.json')
  if (!existsSync(path)) {
    writeFileSync(path, `${JSON.stringify({ layout: layoutVersion, fleet: fleetName })}\n`)
    return
  }
  const { layout, fleet } = readLayout(path)
  if (layout > layoutVersion) {
    throw new IsothermError(
      'DATA_FOLDER_TOO_NEW',
      `${directory} has layout ${layout}, this Isotherm reads up to ${layoutVersion}; nothing was ` +
        'changed. Start it with the newer Isotherm that wrote it',
    )
  }
  if (fleet !== fleetName) {
    throw new IsothermError(
      'INPUT_INVALID',
      `${directory} holds the ${fleet} fleet, not ${fleetName}; give another --data folder`,
    )
  }
}

/** The kernel drops this lock when the process dies, however it dies. */
function lock(directory: string): () => void {
  const database = new DatabaseSync(join(directory, 'lock'))
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    // Only SQLITE_BUSY means another process; a full disk cannot write the lock's journal either.
    const isBusy = cause instanceof Error && 'errcode' in cause && cause.errcode === 5
    if (!isBusy) {
      requireDiskRoom(directory)
      throw cause
    }
    throw new IsothermError(
      'DATA_FOLDER_LOCKED',
      `${directory} is in use by another Isotherm process; stop it, or give another --data folder`,
      { cause },
    )
  }
  return () => database.close()
}

function secretOf(directory: string): Uint8Array {
  const path = join(directory, 'secret.key')
  if (!existsSync(path)) writeFileSync(path, randomBytes(32), { mode: 0o600, flag: 'wx' })
  chmodSync(path, 0o600)
  const key = readFileSync(path)
  if (key.length === 32) return key
  throw new IsothermError(
    'INPUT_INVALID',
    `${path} has ${key.length} bytes, expected 32; restore it from a backup, device keys need it`,
  )
}

/** Step by step: asked to make all at once, Node never returns where the kernel makes nothing. */
function makeFolder(directory: string): void {
  if (existsSync(directory)) return
  makeFolder(dirname(directory))
  mkdirSync(directory)
}

/** Name of the fleet a data folder holds, or undefined for a new folder. */
export function fleetOfFolder(directory: string): string | undefined {
  const path = join(resolve(directory), 'isotherm.json')
  return existsSync(path) ? readLayout(path).fleet : undefined
}

/**
 * Opens a data folder, creating it on first use.
 * @throws IsothermError DATA_FOLDER_LOCKED, DATA_FOLDER_TOO_NEW or INPUT_INVALID; nothing is changed
 */
export function openDataFolder(path: string, fleetName: string): DataFolder {
  const directory = resolve(path)
  try {
    makeFolder(directory)
  } catch (cause) {
    throw new IsothermError(
      'INPUT_INVALID',
      `${directory} cannot be created; give a folder you may write to with --data`,
      { cause },
    )
  }
  const release = lock(directory)
  try {
    checkLayout(directory, fleetName)
    return {
      directory,
      logDirectory: join(directory, 'log'),
      ledgerDirectory: join(directory, 'ledger'),
      tablesDirectory: join(directory, 'tables'),
      modelsDirectory: join(directory, 'models'),
      statePath: join(directory, 'state.db'),
      certificatesDirectory: join(directory, 'certificates'),
      secretKey: secretOf(directory),
      release,
    }
  } catch (error) {
    release()
    throw error
  }
}
