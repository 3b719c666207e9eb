import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { IsothermError, type LogSlice } from '../contracts/index.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Segment } from './segment-file.ts'
import { readChunks } from './segment-reader.ts'

type HeldSlice = LogSlice & { readonly release: () => Promise<void> }

/** Reads a range to check it: whether what DuckDB reads next are the bytes that were written. */
async function isIntact(
  segment: Segment,
  startOffset: number,
  endOffset: number,
): Promise<boolean> {
  for await (const { damaged } of readChunks(segment, startOffset, endOffset)) {
    if (damaged.length > 0) return false
  }
  return true
}

/**
 * The active segment ends in zeros, which are no NDJSON, and a record whose bytes changed is none
 * either: the records are copied out, a changed one as a refused one.
 */
async function copyRecords(
  segment: Segment,
  startOffset: number,
  endOffset: number,
  path: string,
): Promise<void> {
  const target = await open(path, 'w')
  try {
    for await (const { bytes } of readChunks(segment, startOffset, endOffset)) {
      await target.write(bytes)
    }
  } finally {
    await target.close()
  }
}

/**
 * Where a slice ends: with the last segment that lies whole in the range, if there is one. A
 * sealed segment cut in two would be parsed twice.
 */
function sliceEnd(segments: readonly Segment[], endOffset: number): number {
  const last = segments.at(-1)
  const before = segments.at(-2)
  const isWhole = last === undefined || last.endOffset <= endOffset || last.sealedAtMs === undefined
  if (isWhole || before === undefined) return endOffset
  return before.endOffset
}

/**
 * Files with records from `startOffset` up to `endOffset` of a partition, or to the end of a segment
 * before it. Sealed segments are given as they are and kept until `release`.
 */
export async function sliceOf(
  log: PartitionLog,
  range: { readonly partition: number; readonly startOffset: number; readonly endOffset: number },
  temporaryDirectory: string,
  sliceNumber: number,
): Promise<HeldSlice> {
  const { partition, startOffset } = range
  if (
    startOffset < log.startOffset ||
    range.endOffset > log.endOffset ||
    startOffset > range.endOffset
  ) {
    throw new IsothermError(
      'NOT_FOUND',
      `log partition ${partition}: records [${startOffset}, ${range.endOffset}) were asked for, ` +
        `it has [${log.startOffset}, ${log.endOffset}); ask within bounds()`,
    )
  }
  const paths: string[] = []
  const pinned: Segment[] = []
  const copies: string[] = []
  const release = async (): Promise<void> => {
    for (const segment of pinned.splice(0)) segment.pinCount--
    for (const path of copies.splice(0)) await rm(path, { force: true })
  }
  try {
    const touched = [...log.sealed, log.active].filter(
      (segment) => segment.startOffset < range.endOffset && segment.endOffset > startOffset,
    )
    const endOffset = sliceEnd(touched, range.endOffset)
    const overlapping = touched.filter((segment) => segment.startOffset < endOffset)
    for (const segment of overlapping) {
      segment.pinCount++
      pinned.push(segment)
    }
    for (const segment of overlapping) {
      const from = Math.max(startOffset, segment.startOffset)
      const to = Math.min(endOffset, segment.endOffset)
      if (segment.sealedAtMs !== undefined && (await isIntact(segment, from, to))) {
        paths.push(segment.path)
      } else {
        const path = join(temporaryDirectory, `slice-${sliceNumber}-${from}.ndjson`)
        copies.push(path)
        await copyRecords(segment, from, to, path)
        paths.push(path)
      }
    }
    return { partition, startOffset, endOffset, paths, release }
  } catch (error) {
    await release()
    throw error
  }
}
