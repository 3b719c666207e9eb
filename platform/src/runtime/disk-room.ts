import { statfsSync } from 'node:fs'
import { IsothermError } from '../contracts/index.ts'

/** Share of the disk in use above which the log takes nothing more, ING-18. */
const maxUsedShare = 0.95

/** Blocks of a file system, as `statfs` counts them. */
export type DiskBlocks = {
  readonly bavail: number
  readonly blocks: number
  readonly bsize: number
}

/**
 * Refuses to start on a disk so full that no reading could be acknowledged.
 * @throws IsothermError DISK_FULL, with what is left and what to do
 */
export function requireDiskRoom(
  directory: string,
  readBlocks: (path: string) => DiskBlocks = statfsSync,
): void {
  const { bavail, blocks, bsize } = readBlocks(directory)
  const usedShare = 1 - bavail / blocks
  if (usedShare <= maxUsedShare) return
  const freeMib = Math.floor((bavail * bsize) / 2 ** 20)
  throw new IsothermError(
    'DISK_FULL',
    `the disk of ${directory} is ${(usedShare * 100).toFixed(1)} % full (${freeMib} MiB left), at ` +
      `${maxUsedShare * 100} % no reading is taken in; nothing was started. Free space or move the ` +
      'folder with --data',
  )
}
