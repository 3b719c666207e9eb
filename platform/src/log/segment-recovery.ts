import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'
import { longestLineBytes, recordLength } from './damaged-records.ts'
import { createdAtOf, openSealed } from './sealed-segment.ts'
import { readChain } from './segment-chain.ts'
import {
  createSegment,
  indexEntryBytes,
  indexHeader,
  indexHeaderBytes,
  listSegments,
  type OpenSegment,
  type Segment,
  segmentHashes,
  segmentPaths,
  syncDirectory,
} from './segment-file.ts'

/** What opening a partition found at the end of its newest segment. */
export type Recovery = {
  readonly partition: number
  readonly path: string
  readonly recordCount: number
  /** Records before the end whose bytes changed on disk; they land as dead letters. */
  readonly damagedCount: number
  /** Bytes after the last good record that were not zero; they were never acknowledged. */
  readonly droppedBytes: number
  /** Copy of the dropped bytes, kept for inspection. */
  readonly droppedPath?: string
}

type OpenedSegments = {
  readonly sealed: Segment[]
  readonly active: OpenSegment
  readonly recovery: Recovery | undefined
}

const lineFeed = 10

/** A line that was written whole although its index entry was not: same shape, right offset. */
function isWholeRecord(line: Buffer, offset: number): number | undefined {
  const prefix = `{"o":${offset},"t":`
  if (line.toString('latin1', 0, prefix.length) !== prefix) return undefined
  try {
    const envelope: unknown = JSON.parse(line.toString('utf8'))
    if (typeof envelope !== 'object' || envelope === null || !('t' in envelope)) return undefined
    return typeof envelope.t === 'number' ? envelope.t : undefined
  } catch {
    // A torn line does not parse; the scan stops here, which is what `undefined` says.
    return undefined
  }
}

type Scan = {
  readonly recordCount: number
  readonly sizeBytes: number
  readonly index: Buffer
  readonly damagedCount: number
}

/**
 * Finds how far a segment goes: to the last record that matches its CRC, and from there over the
 * group that was being written, which may lack entries and is checked by shape. What comes after
 * was never acknowledged. A record that was written whole and does not match has changed since: it
 * stays, and reading gives it as a damaged one.
 */
function scanActive(data: Buffer, index: Buffer, startOffset: number): Scan {
  const known = scanIndexed(data, index, startOffset)
  const entries = [known.index]
  let { recordCount, sizeBytes } = known
  const nextEntry = recordCount * indexEntryBytes
  const hasEntry =
    nextEntry + indexEntryBytes <= index.length && index.readUInt32LE(nextEntry + 4) !== 0
  while (!hasEntry) {
    const lineEnd = data.indexOf(lineFeed, sizeBytes)
    if (lineEnd < 0) break
    const line = data.subarray(sizeBytes, lineEnd + 1)
    const ingestedAtMs = isWholeRecord(line, startOffset + recordCount)
    if (ingestedAtMs === undefined) break
    const entry = Buffer.alloc(indexEntryBytes)
    entry.writeUInt32LE(crc32(line), 0)
    entry.writeUInt32LE(lineEnd + 1, 4)
    entry.writeDoubleLE(ingestedAtMs, 8)
    entries.push(entry)
    sizeBytes = lineEnd + 1
    recordCount++
  }
  return { ...known, recordCount, sizeBytes, index: Buffer.concat(entries) }
}

/** The records that the side file knows, up to the last one that was written whole. */
function scanIndexed(data: Buffer, stored: Buffer, startOffset: number): Scan {
  const index = Buffer.from(stored)
  const dataEnd = lengthWithoutZeros(data, 0)
  let scan: Scan = { recordCount: 0, sizeBytes: 0, index: index.subarray(0, 0), damagedCount: 0 }
  let position = 0
  let damagedCount = 0
  const entryCount = Math.floor(index.length / indexEntryBytes)
  for (let record = 0; record < entryCount && position < dataEnd; record++) {
    const at = record * indexEntryBytes
    // No entry: a power loss took this page of the side file, or it was never written.
    if (index.readUInt32LE(at + 4) === 0) break
    const crc = index.readUInt32LE(at)
    const rest = data.subarray(position, Math.min(position + longestLineBytes, dataEnd))
    const indexedEnd = index.readUInt32LE(at + 4) - position
    const length = recordLength(rest, crc, indexedEnd, startOffset + record)
    const isIntact = crc32(rest.subarray(0, length)) === crc
    // Where a write was torn there are still zeros, or no bytes; a line has none.
    const isTorn = indexedEnd > rest.length || rest.subarray(0, length).includes(0)
    position += length
    index.writeUInt32LE(position, at + 4)
    if (!isIntact) damagedCount++
    if (!isIntact && isTorn) continue
    const recordCount = record + 1
    const known = index.subarray(0, recordCount * indexEntryBytes)
    scan = { recordCount, sizeBytes: position, index: known, damagedCount }
  }
  return scan
}

function readWhole(descriptor: number, from: number): Buffer {
  const content = Buffer.allocUnsafe(Math.max(0, fstatSync(descriptor).size - from))
  let filled = 0
  while (filled < content.length) {
    const read = readSync(descriptor, content, filled, content.length - filled, from + filled)
    if (read === 0) break
    filled += read
  }
  return content.subarray(0, filled)
}

function lengthWithoutZeros(data: Buffer, from: number): number {
  let end = data.length
  while (end > from && data[end - 1] === 0) end--
  return end - from
}

/** Keeps what a torn write left behind: it was never acknowledged, but a person may want it. */
function keepDropped(path: string, bytes: Buffer): string {
  const droppedPath = `${path}.torn`
  const descriptor = openSync(droppedPath, 'w')
  try {
    writeSync(descriptor, bytes)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return droppedPath
}

/** Opens the newest segment for appending, cut back to its last good record, durably. */
function openActive(
  directory: string,
  partition: number,
  startOffset: number,
  nowMs: number,
): Omit<OpenedSegments, 'sealed'> {
  const { path, indexPath } = segmentPaths(directory, startOffset)
  const dataFd = openSync(path, 'r+')
  const indexFd = openSync(indexPath, 'a+')
  closeSync(indexFd)
  const writableIndexFd = openSync(indexPath, 'r+')
  const index = readWhole(writableIndexFd, indexHeaderBytes)
  // Without a readable header only the age is lost; the entries are checked by their CRCs.
  const createdAtMs = createdAtOf(writableIndexFd, startOffset) ?? nowMs
  const data = readWhole(dataFd, 0)
  const scan = scanActive(data, index, startOffset)
  const droppedBytes = lengthWithoutZeros(data, scan.sizeBytes)
  const droppedPath =
    droppedBytes === 0
      ? undefined
      : keepDropped(path, data.subarray(scan.sizeBytes, scan.sizeBytes + droppedBytes))
  ftruncateSync(dataFd, scan.sizeBytes)
  fsyncSync(dataFd)
  const header = indexHeader(startOffset, createdAtMs)
  writeSync(writableIndexFd, header, 0, indexHeaderBytes, 0)
  writeSync(writableIndexFd, scan.index, 0, scan.index.length, indexHeaderBytes)
  ftruncateSync(writableIndexFd, indexHeaderBytes + scan.index.length)
  fsyncSync(writableIndexFd)
  syncDirectory(directory)
  const segment: Segment = {
    startOffset,
    createdAtMs,
    path,
    indexPath,
    endOffset: startOffset + scan.recordCount,
    sizeBytes: scan.sizeBytes,
    sealedAtMs: undefined,
    pinCount: 0,
  }
  return {
    active: {
      segment,
      dataFd,
      indexFd: writableIndexFd,
      hashes: segmentHashes(data.subarray(0, scan.sizeBytes), Buffer.concat([header, scan.index])),
    },
    recovery: {
      partition,
      path,
      recordCount: scan.recordCount,
      damagedCount: scan.damagedCount,
      droppedBytes,
      ...(droppedPath === undefined ? {} : { droppedPath }),
    },
  }
}

/**
 * Opens all segments of a partition and repairs the newest one.
 * @throws IsothermError LOG_DAMAGED if a sealed segment does not have the shape it was sealed with
 */
export function openSegments(directory: string, partition: number, nowMs: number): OpenedSegments {
  const starts = listSegments(directory)
  const last = starts.at(-1)
  if (last === undefined) {
    return { sealed: [], active: createSegment(directory, 0, nowMs), recovery: undefined }
  }
  const links = readChain(directory)
  const sealed = starts
    .slice(0, -1)
    .map((start, i) => openSealed(directory, start, starts[i + 1]!, links))
  const opened = openActive(directory, partition, last, nowMs)
  const createdAt = [...sealed.slice(1), opened.active.segment].map((next) => next.createdAtMs)
  for (const [i, segment] of sealed.entries()) segment.sealedAtMs = createdAt[i]
  return { sealed, ...opened }
}
