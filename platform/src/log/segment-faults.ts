import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { sideFileOf } from './sealed-segment.ts'
import type { ChainLink } from './segment-chain.ts'
import { indexEntryBytes, indexHeaderBytes, type Segment, segmentPaths } from './segment-file.ts'
import { segmentOnDisk } from './segment-on-disk.ts'
import { readChunks } from './segment-reader.ts'
import type { LogFault } from './verify-log.ts'

/** Longest that a batch of the newest segment is on its way to disk while a check runs beside it. */
const settleMs = 250

type CheckedSegment = {
  readonly recordCount: number
  readonly sizeBytes: number
  readonly faults: readonly LogFault[]
}

/**
 * Compares one segment with its link in the chain, or with its CRCs where it has none.
 * @param nextOffset where the next segment begins; undefined for the newest one
 */
export async function segmentFaults(
  folder: string,
  startOffset: number,
  nextOffset: number | undefined,
  link: ChainLink | undefined,
): Promise<CheckedSegment> {
  const { path, indexPath } = segmentPaths(folder, startOffset)
  let segment: Segment
  try {
    segment = await segmentOnDisk(folder, startOffset)
  } catch (error) {
    const found = `it cannot be read: ${error instanceof Error ? error.message : String(error)}`
    return { recordCount: 0, sizeBytes: 0, faults: [{ path, found }] }
  }
  const recordCount = segment.endOffset - startOffset
  const checked = { recordCount, sizeBytes: segment.sizeBytes }
  if (nextOffset === undefined) return { ...checked, faults: await newestFaults(segment) }
  if (recordCount !== nextOffset - startOffset) {
    const found = `it knows ${recordCount} records, expected ${nextOffset - startOffset}`
    return { ...checked, faults: [{ path: indexPath, found }] }
  }
  if (link === undefined) {
    const faults = (await unlikeTheirCrc(segment)).map((record) => changedBytes(path, record))
    return { ...checked, faults }
  }
  return { ...checked, faults: await sealedFaults(segment, link) }
}

function changedBytes(path: string, record: number): LogFault {
  return { path, record, found: 'its bytes changed' }
}

async function sealedFaults(segment: Segment, link: ChainLink): Promise<readonly LogFault[]> {
  const { path, indexPath } = segment
  const isData = (await hashOf(path)) === link.data
  const isIndex = (await hashOf(indexPath)) === link.index
  if (isData && isIndex) return []
  if (isData)
    return changedEntries(await readFile(path), await readFile(indexPath), link, indexPath)
  const records = await unlikeTheirCrc(segment)
  if (records.length > 0) return records.map((record) => changedBytes(path, record))
  const found = 'it is not what was sealed, although its CRCs agree: both were rewritten'
  return [{ path, found }]
}

/** Entries of a side file that are not those of the segment, which itself is as sealed. */
function changedEntries(
  data: Buffer,
  found: Buffer,
  link: ChainLink,
  path: string,
): readonly LogFault[] {
  const expected = sideFileOf(data, link)
  const faults: LogFault[] = []
  if (!expected.subarray(0, indexHeaderBytes).equals(found.subarray(0, indexHeaderBytes))) {
    faults.push({ path, found: 'its header changed' })
  }
  for (let at = indexHeaderBytes; at < expected.length; at += indexEntryBytes) {
    const end = at + indexEntryBytes
    if (expected.subarray(at, end).equals(found.subarray(at, end))) continue
    const record = link.startOffset + (at - indexHeaderBytes) / indexEntryBytes
    faults.push({ path, record, found: 'its entry changed; the record itself did not' })
  }
  return faults
}

/** Of the newest segment, what a batch under way does not explain. */
async function newestFaults(segment: Segment): Promise<readonly LogFault[]> {
  const { path, endOffset } = segment
  if ((await unlikeTheirCrc(segment)).length === 0) return []
  await delay(settleMs)
  const records = await unlikeTheirCrc({ ...segment, sizeBytes: (await stat(path)).size })
  return records.map((record) =>
    record === endOffset - 1
      ? { path, record, found: 'its bytes changed, or a crash cut its write off' }
      : changedBytes(path, record),
  )
}

async function unlikeTheirCrc(segment: Segment): Promise<readonly number[]> {
  const records: number[] = []
  for await (const chunk of readChunks(segment, segment.startOffset, segment.endOffset)) {
    records.push(...chunk.damaged)
  }
  return records
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}
