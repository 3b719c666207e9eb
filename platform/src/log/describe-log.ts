import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Positions } from './positions.ts'
import { readChain } from './segment-chain.ts'
import { indexEntryBytes, indexHeaderBytes, listSegments, segmentPaths } from './segment-file.ts'

/** One partition of a log on disk. */
export type PartitionDescription = {
  readonly partition: number
  readonly segmentCount: number
  readonly startOffset: number
  /** One past the last record that the newest side file knows. */
  readonly endOffset: number
  readonly sizeBytes: number
  /** When the oldest and the newest record kept came in, epoch ms; undefined without records. */
  readonly firstIngestedAtMs: number | undefined
  readonly lastIngestedAtMs: number | undefined
  readonly chainedSegmentCount: number
  /** Hash of the newest link of the chain; undefined before the first sealed segment. */
  readonly chainHead: string | undefined
}

/** Where a consumer group stands in one partition, ING-19, ING-22. */
export type GroupPosition = {
  readonly group: string
  readonly partition: number
  /** Offset of the next record it takes. */
  readonly position: number
  /** Records it has not committed. */
  readonly lagRecords: number
  /** Age of the oldest of those, in seconds; 0 when there is none. */
  readonly lagSeconds: number
}

/** A log on disk and its consumers. */
export type LogDescription = {
  readonly generation: number
  readonly partitions: readonly PartitionDescription[]
  readonly groups: readonly GroupPosition[]
}

/**
 * Describes a log from its files, beside the process that appends or without one.
 * @param nowMs epoch ms; the age of what a group has not read is taken from it
 * Cost: a few small reads per segment and group.
 */
export function describeLog(directory: string, nowMs: number): LogDescription {
  const meta: unknown = JSON.parse(readFileSync(join(directory, 'log.json'), 'utf8'))
  const { generation, partitionCount } = meta as { generation: number; partitionCount: number }
  const partitions = Array.from({ length: partitionCount }, (_, partition) =>
    describePartition(join(directory, `p${partition}`), partition),
  )
  const positions = new Positions(join(directory, 'positions.json'))
  const groups = positions.all().map(({ group, partition, position }) => {
    const { startOffset = 0, endOffset = 0 } = partitions[partition] ?? {}
    const next = Math.max(position, startOffset)
    const lagRecords = Math.max(0, endOffset - next)
    const ingestedAtMs =
      lagRecords === 0 ? nowMs : ingestedAtOf(join(directory, `p${partition}`), next)
    const lagSeconds = Math.max(0, nowMs - (ingestedAtMs ?? nowMs)) / 1000
    return { group, partition, position, lagRecords, lagSeconds }
  })
  return { generation, partitions, groups }
}

function describePartition(folder: string, partition: number): PartitionDescription {
  const starts = listSegments(folder)
  const links = readChain(folder)
  const startOffset = starts[0] ?? 0
  const newest = starts.at(-1) ?? 0
  const endOffset = newest + (starts.length === 0 ? 0 : entryCount(folder, newest))
  return {
    partition,
    segmentCount: starts.length,
    startOffset,
    endOffset,
    sizeBytes: starts.reduce(
      (sum, start) => sum + statSync(segmentPaths(folder, start).path).size,
      0,
    ),
    firstIngestedAtMs: endOffset > startOffset ? ingestedAtOf(folder, startOffset) : undefined,
    lastIngestedAtMs: endOffset > startOffset ? ingestedAtOf(folder, endOffset - 1) : undefined,
    chainedSegmentCount: links.length,
    chainHead: links.at(-1)?.hash,
  }
}

function entryCount(folder: string, startOffset: number): number {
  const { size } = statSync(segmentPaths(folder, startOffset).indexPath)
  return Math.max(0, Math.floor((size - indexHeaderBytes) / indexEntryBytes))
}

/** When a record came in, from the side file of its segment, epoch ms. */
function ingestedAtOf(folder: string, offset: number): number | undefined {
  const start = listSegments(folder).findLast((first) => first <= offset)
  if (start === undefined) return undefined
  const descriptor = openSync(segmentPaths(folder, start).indexPath, 'r')
  try {
    const time = Buffer.alloc(8)
    const at = indexHeaderBytes + (offset - start) * indexEntryBytes + 8
    return readSync(descriptor, time, 0, 8, at) === 8 ? time.readDoubleLE(0) : undefined
  } finally {
    closeSync(descriptor)
  }
}
