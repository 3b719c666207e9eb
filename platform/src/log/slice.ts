import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { IsothermError, type LogSlice } from '../contracts/index.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Segment } from './segment-file.ts'
import { readChunks } from './segment-reader.ts'

type HeldSlice = LogSlice & { readonly release: () => Promise<void> }

/** Reads a range only to check it: what DuckDB reads next are the bytes that were written. */
async function verify(segment: Segment, startOffset: number, endOffset: number): Promise<void> {
  for await (const _ of readChunks(segment, startOffset, endOffset));
}

/** The active segment ends in zeros, which are no NDJSON: its records are copied out. */
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
 * Files with records [startOffset, endOffset) of a partition. Sealed segments are given as they
 * are and kept until `release`.
 */
export async function sliceOf(
  log: PartitionLog,
  range: { readonly partition: number; readonly startOffset: number; readonly endOffset: number },
  temporaryDirectory: string,
  sliceNumber: number,
): Promise<HeldSlice> {
  const { partition, startOffset, endOffset } = range
  if (startOffset < log.startOffset || endOffset > log.endOffset || startOffset > endOffset) {
    throw new IsothermError(
      'NOT_FOUND',
      `log partition ${partition}: records [${startOffset}, ${endOffset}) were asked for, ` +
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
    const overlapping = [...log.sealed, log.active].filter(
      (segment) => segment.startOffset < endOffset && segment.endOffset > startOffset,
    )
    for (const segment of overlapping) {
      segment.pinCount++
      pinned.push(segment)
    }
    for (const segment of overlapping) {
      const from = Math.max(startOffset, segment.startOffset)
      const to = Math.min(endOffset, segment.endOffset)
      if (segment.sealedAtMs !== undefined) {
        await verify(segment, from, to)
        paths.push(segment.path)
      } else {
        const path = join(temporaryDirectory, `slice-${sliceNumber}-${from}.ndjson`)
        copies.push(path)
        await copyRecords(segment, from, to, path)
        paths.push(path)
      }
    }
  } catch (error) {
    await release()
    throw error
  }
  return { partition, startOffset, endOffset, paths, release }
}
