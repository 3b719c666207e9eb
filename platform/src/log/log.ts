import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type DeviceLog, IsothermError, type NewRecord } from '../contracts/index.ts'
import { followPartition } from './follow.ts'
import { partitionOf } from './murmur2.ts'
import { PartitionLog } from './partition-log.ts'
import { Positions } from './positions.ts'
import { syncDirectory } from './segment-file.ts'
import type { Recovery } from './segment-recovery.ts'
import { type DiskCalls, diskCalls } from './segment-writer.ts'
import { sliceOf } from './slice.ts'

const formatVersion = 1
const mib = 1 << 20
const defaults = {
  partitionCount: 1,
  segmentBytes: 256 * mib,
  tickMs: 5,
  retentionMs: 7 * 86_400_000,
  maxWaitingBytes: 64 * mib,
  maxDiskUsedShare: 0.95,
} as const

/** Where a log lives and how it behaves; every size has a default. */
export type LogOptions = {
  readonly directory: string
  /**
   * Fixed for a log generation, ING-16. Default 1: one write and one fdatasync then serve all
   * devices of a tick; more partitions are for several consumers or disks.
   */
  readonly partitionCount?: number
  /** Size at which a segment is sealed; default 256 MiB, at most 1 GiB. */
  readonly segmentBytes?: number
  /** Longest wait for other appends to share a commit; default 5 ms, ING-17 allows 20 ms. */
  readonly tickMs?: number
  /** How long sealed segments are kept; default 7 days, ING-18. */
  readonly retentionMs?: number
  /** Bytes of appends on their way to disk before further ones wait; default 64 MiB. */
  readonly maxWaitingBytes?: number
  /** Share of the disk in use above which appends are refused; default 0.95, ING-18. */
  readonly maxDiskUsedShare?: number
  /** Epoch ms; stamps segments for retention. */
  readonly clock: () => number
  /** Disk calls, for tests that let them fail. */
  readonly disk?: DiskCalls
}

/** A log on segment files, with what opening it had to repair. */
export type SegmentLog = DeviceLog & { readonly recoveries: readonly Recovery[] }

type Meta = {
  readonly format: number
  readonly generation: number
  readonly partitionCount: number
}

function openMeta(directory: string, partitionCount: number): Meta {
  const path = join(directory, 'log.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const meta: Meta = { format: formatVersion, generation: 1, partitionCount }
    writeFileSync(path, `${JSON.stringify(meta)}\n`, { flush: true })
    syncDirectory(directory)
    return meta
  }
  const meta = JSON.parse(text) as Meta
  if (meta.format > formatVersion) {
    throw new IsothermError(
      'DATA_FOLDER_TOO_NEW',
      `log ${directory}: format ${meta.format}, this version reads up to ${formatVersion}; ` +
        'run the version that wrote it, or a newer one',
    )
  }
  if (meta.partitionCount !== partitionCount) {
    throw new IsothermError(
      'INPUT_INVALID',
      `log ${directory}: it has ${meta.partitionCount} partitions, ${partitionCount} were asked ` +
        'for; the count is fixed for a generation, ING-16',
    )
  }
  return meta
}

function checkSizes(directory: string, segmentBytes: number, partitionCount: number): void {
  if (!(segmentBytes >= 1 && segmentBytes <= 1024 * mib)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `log ${directory}: segmentBytes is ${segmentBytes}, expected 1 to ${1024 * mib}`,
    )
  }
  if (!(Number.isInteger(partitionCount) && partitionCount >= 1 && partitionCount <= 128)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `log ${directory}: partitionCount is ${partitionCount}, expected 1 to 128, ING-15`,
    )
  }
}

function removableCount(log: PartitionLog, readTo: number | undefined, sealedBefore: number) {
  if (readTo === undefined) return 0
  const firstKept = log.sealed.findIndex(
    ({ endOffset, sealedAtMs, pinCount }) =>
      pinCount > 0 || endOffset > readTo || (sealedAtMs ?? Number.POSITIVE_INFINITY) > sealedBefore,
  )
  return firstKept < 0 ? log.sealed.length : firstKept
}

function splitByPartition(
  records: readonly NewRecord[],
  partitionCount: number,
): readonly (readonly [number, readonly NewRecord[]])[] {
  const parts = new Map<number, NewRecord[]>()
  for (const record of records) {
    const partition = partitionOf(record.deviceId, partitionCount)
    const part = parts.get(partition)
    if (part === undefined) parts.set(partition, [record])
    else part.push(record)
  }
  return [...parts]
}

/**
 * Opens a log, repairing what a crash left, or creates it. One process at a time.
 * `append` rejects with DISK_FULL (nothing stored, works again when there is space), LOG_CLOSED or
 * INPUT_INVALID; with several partitions an append is atomic within each.
 * @throws IsothermError LOG_DAMAGED, DATA_FOLDER_TOO_NEW or INPUT_INVALID
 */
export function openLog(options: LogOptions): SegmentLog {
  const settings = { ...defaults, disk: diskCalls, ...options }
  const { directory, partitionCount, segmentBytes, retentionMs } = settings
  checkSizes(directory, segmentBytes, partitionCount)
  mkdirSync(directory, { recursive: true })
  const { generation } = openMeta(directory, partitionCount)
  const temporaryDirectory = join(directory, 'slices')
  rmSync(temporaryDirectory, { recursive: true, force: true })
  mkdirSync(temporaryDirectory)
  const positions = new Positions(join(directory, 'positions.json'))
  const partitions = Array.from({ length: partitionCount }, (_, partition) => {
    const partitionDirectory = join(directory, `p${partition}`)
    mkdirSync(partitionDirectory, { recursive: true })
    return new PartitionLog({ ...settings, directory: partitionDirectory, partition })
  })
  syncDirectory(directory)
  const partitionLog = (partition: number): PartitionLog => {
    const log = partitions[partition]
    if (log !== undefined) return log
    throw new IsothermError(
      'NOT_FOUND',
      `log ${directory}: partition ${partition} was asked for, it has 0 to ${partitionCount - 1}`,
    )
  }
  const onlyPartition = partitionCount === 1 ? partitionLog(0) : undefined
  let sliceCount = 0
  return {
    generation,
    partitionCount,
    recoveries: partitions.flatMap(({ recovery }) => recovery ?? []),
    append: async (records) => {
      if (onlyPartition !== undefined) return onlyPartition.append(records)
      const parts = splitByPartition(records, partitionCount)
      await Promise.all(parts.map(([partition, part]) => partitionLog(partition).append(part)))
    },
    bounds: (partition) => {
      const { startOffset, endOffset } = partitionLog(partition)
      return { startOffset, endOffset }
    },
    slice: (partition, startOffset, endOffset) =>
      sliceOf(
        partitionLog(partition),
        { partition, startOffset, endOffset },
        temporaryDirectory,
        sliceCount++,
      ),
    follow: (partition, startOffset, signal) =>
      followPartition(partitionLog(partition), partition, startOffset, signal),
    position: (group, partition) => positions.get(group, partition),
    commitPosition: (group, partition, offset) => positions.commit(group, partition, offset),
    expire: async (nowMs) => {
      let removedSegmentCount = 0
      for (const [partition, log] of partitions.entries()) {
        const readTo = positions.lowest(partition)
        const count = removableCount(log, readTo, nowMs - retentionMs)
        for (const { path, indexPath } of log.sealed.splice(0, count)) {
          // The segment goes first: an index alone is ignored at the next open.
          await rm(path, { force: true })
          await rm(indexPath, { force: true })
          removedSegmentCount++
        }
      }
      return { removedSegmentCount }
    },
    close: async () => {
      await Promise.all(partitions.map((log) => log.close()))
    },
  }
}
