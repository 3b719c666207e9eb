import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Writes a file and forces it to disk; the caller makes it visible by a rename. */
async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Forces a directory's entries to disk, so that a rename in it survives a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Replaces a file as a whole: a reader sees the old content or the new, never a part. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const incoming = `${path}.incoming`
  await rm(incoming, { force: true })
  await writeSynced(incoming, content)
  await rename(incoming, path)
  await syncDirectory(dirname(path))
}

/** Prefix of a folder that is being written; a crash leaves it behind, readers skip it. */
export const incomingPrefix = '.incoming-'

/**
 * Creates a folder with its files in one step.
 * @returns false if the folder is there already; nothing is changed then
 */
export async function createFolder(
  path: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<boolean> {
  const parent = dirname(path)
  await mkdir(parent, { recursive: true })
  const incoming = join(parent, `${incomingPrefix}${path.slice(parent.length + 1)}`)
  await rm(incoming, { recursive: true, force: true })
  await mkdir(incoming)
  for (const [name, content] of Object.entries(files)) {
    await writeSynced(join(incoming, name), content)
  }
  await syncDirectory(incoming)
  try {
    await rename(incoming, path)
  } catch (cause) {
    await rm(incoming, { recursive: true, force: true })
    if (isTaken(cause)) return false
    throw cause
  }
  await syncDirectory(parent)
  return true
}

function isTaken(cause: unknown): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false
  return cause.code === 'ENOTEMPTY' || cause.code === 'EEXIST'
}
