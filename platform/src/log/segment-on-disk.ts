import { stat } from 'node:fs/promises'
import { indexEntryBytes, indexHeaderBytes, type Segment, segmentPaths } from './segment-file.ts'

/** A segment as its files describe it, for readers beside the process that appends. */
export async function segmentOnDisk(folder: string, startOffset: number): Promise<Segment> {
  const { path, indexPath } = segmentPaths(folder, startOffset)
  // The side file first: what it knows when it is read is then in the segment, or on its way.
  const entryBytes = (await stat(indexPath)).size - indexHeaderBytes
  const recordCount = Math.max(0, Math.floor(entryBytes / indexEntryBytes))
  return {
    startOffset,
    endOffset: startOffset + recordCount,
    createdAtMs: 0,
    path,
    indexPath,
    sizeBytes: (await stat(path)).size,
    sealedAtMs: undefined,
    pinCount: 0,
  }
}
