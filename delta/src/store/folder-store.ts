import { existsSync } from 'node:fs'
import { link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { inBatches } from '../data/batches.ts'
import { ObjectNotFound } from '../errors.ts'
import type { Host } from '../host.ts'
import { systemHost } from '../host.ts'
import { claimedRename } from './claimed-rename.ts'
import type { ObjectStore, PutOptions, StoredObject } from './object-store.ts'
import { checkObjectPath } from './object-store.ts'

/**
 * Names of half-written files begin so; the protocol's readers ignore them, and so does `list`, unless
 * its prefix asks for them. Files that a crash left behind are for VACUUM.
 */
export const temporaryPrefix = '.tmp-'

/** How a folder is used. */
export interface FolderStoreOptions {
  /** Default: `systemHost`. */
  readonly host?: Host
  /**
   * `try`: hard links, and claims where the file system has none. `never`: claims only; then every
   * writer of the folder must say so. Default `try`.
   */
  readonly hardLinks?: 'try' | 'never'
}

/**
 * The object store of a local folder. Put-if-absent is a hard link from a synced temporary file: the
 * link either makes the whole object appear or fails because the name is taken, whoever writes and on
 * whatever machine. On file systems without hard links (exFAT, some network shares) it is a rename
 * under an exclusive claim: as strong among processes of one machine, but a machine that crashes in
 * between holds the others up until its claim is deleted (`CommitBlocked` says which).
 * @param directory made on the first write
 */
export function folderStore(directory: string, options: FolderStoreOptions = {}): ObjectStore {
  const root = resolve(directory)
  const { host = systemHost, hardLinks = 'try' } = options
  return {
    location: root,
    localFolder: root,
    read: async (path) => {
      try {
        return await readFile(fileOf(root, path))
      } catch (cause) {
        if (!isErrorCode(cause, 'ENOENT')) throw cause
        throw new ObjectNotFound({
          table: root,
          where: path,
          what: 'no such file',
          fix: 'check the path, and whether VACUUM or a log clean-up removed it',
          cause,
        })
      }
    },
    putIfAbsent: (path, bytes, put = {}) =>
      putIfAbsent(root, path, bytes, put, { host, hardLinks }),
    list: (prefix, { startAfter = '' } = {}) => listFiles(root, prefix, startAfter),
    remove: async (path) => {
      await unlinkIfThere(fileOf(root, path))
    },
  }
}

/** Makes the content of a file or the entries of a folder durable. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** True if the error of a system call has this code. */
export function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

async function putIfAbsent(
  root: string,
  path: string,
  bytes: Uint8Array,
  put: PutOptions,
  { host, hardLinks }: Required<FolderStoreOptions>,
): Promise<boolean> {
  const file = fileOf(root, path)
  // Saves a lost race the write; the link below is what decides.
  if (existsSync(file)) return false
  const folder = dirname(file)
  const temporary = join(folder, `${temporaryPrefix}${host.uuid()}`)
  const handle = await openMakingFolder(temporary)
  try {
    try {
      await handle.writeFile(bytes)
      if (put.modifiedMs !== undefined) {
        // A microsecond more, so that neither rounding nor truncating loses the millisecond.
        const seconds = put.modifiedMs / 1000 + 1e-6
        await handle.utimes(seconds, seconds)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    const isOurs =
      (hardLinks === 'try' ? await linked(temporary, file) : undefined) ??
      (await claimedRename(temporary, file, { host, claimPrefix: `${temporaryPrefix}claim-` }))
    if (!isOurs) return false
  } finally {
    await unlinkIfThere(temporary)
  }
  await syncPath(folder)
  return true
}

/** What a file system without hard links answers. */
const noLinkCodes = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/** True if the link was made, false if the name is taken, undefined if there are no hard links. */
async function linked(temporary: string, file: string): Promise<boolean | undefined> {
  try {
    await link(temporary, file)
    return true
  } catch (cause) {
    if (isErrorCode(cause, 'EEXIST')) return false
    if (noLinkCodes.some((code) => isErrorCode(cause, code))) return undefined
    throw cause
  }
}

async function unlinkIfThere(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (cause) {
    if (!isErrorCode(cause, 'ENOENT')) throw cause
  }
}

async function openMakingFolder(file: string) {
  try {
    return await open(file, 'wx')
  } catch (cause) {
    if (!isErrorCode(cause, 'ENOENT')) throw cause
    const first = await mkdir(dirname(file), { recursive: true })
    if (first !== undefined) await syncPath(dirname(first))
    return await open(file, 'wx')
  }
}

async function listFiles(
  root: string,
  prefix: string,
  startAfter: string,
): Promise<readonly StoredObject[]> {
  const found: string[] = []
  const lastSlash = prefix.lastIndexOf('/')
  await collect(
    root,
    lastSlash < 0 ? '' : prefix.slice(0, lastSlash + 1),
    prefix,
    startAfter,
    found,
  )
  found.sort()
  const objects = await inBatches(found, 64, async (path) => {
    try {
      const { size, mtimeMs } = await stat(join(root, path))
      return { path, sizeBytes: size, modifiedMs: Math.round(mtimeMs) }
    } catch (cause) {
      // Deleted between readdir and stat: it is as if the listing had come a moment later.
      if (isErrorCode(cause, 'ENOENT')) return undefined
      throw cause
    }
  })
  return objects.filter((object) => object !== undefined)
}

/** Adds the files below `folder` (empty, or ending in `/`) that begin with `prefix` to `found`. */
async function collect(
  root: string,
  folder: string,
  prefix: string,
  startAfter: string,
  found: string[],
): Promise<void> {
  const entries = await entriesOf(join(root, folder))
  const wantsTemporary = prefix.slice(folder.length).startsWith(temporaryPrefix)
  for (const entry of entries) {
    const path = folder + entry.name
    if (entry.isDirectory()) {
      const inside = `${path}/`
      const mayMatch = inside.startsWith(prefix) || prefix.startsWith(inside)
      const allBefore = inside < startAfter && !startAfter.startsWith(inside)
      if (mayMatch && !allBefore) await collect(root, inside, prefix, startAfter, found)
    } else if (path.startsWith(prefix) && path > startAfter) {
      if (wantsTemporary || !entry.name.startsWith(temporaryPrefix)) found.push(path)
    }
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (cause) {
    if (isErrorCode(cause, 'ENOENT')) return []
    throw cause
  }
}

function fileOf(root: string, path: string): string {
  checkObjectPath(path, root)
  return join(root, path)
}
