import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'
import { IsothermError } from '../contracts/index.ts'
import type { ChainLink } from './segment-chain.ts'
import {
  indexEntryBytes,
  indexHeader,
  indexHeaderBytes,
  indexMagic,
  type Segment,
  segmentPaths,
  syncDirectory,
} from './segment-file.ts'

const lineFeed = 10

function damaged(path: string, found: string): IsothermError {
  return new IsothermError(
    'LOG_DAMAGED',
    `log segment ${path}: ${found}; restore the file from a backup, or move the segment and its ` +
      'index away to go on without its records',
  )
}

/** Creation time in a side file's header, epoch ms; undefined if the header is not that segment's. */
export function createdAtOf(indexFd: number, startOffset: number): number | undefined {
  const header = Buffer.alloc(indexHeaderBytes)
  const read = readSync(indexFd, header, 0, indexHeaderBytes, 0)
  const isOurs =
    read === indexHeaderBytes &&
    header.toString('latin1', 0, 8) === indexMagic &&
    header.readDoubleLE(8) === startOffset
  return isOurs ? header.readDoubleLE(16) : undefined
}

/** A sealed segment by its shape, or what is wrong with that. Its bytes are checked when read. */
function readShape(
  directory: string,
  startOffset: number,
  endOffset: number,
): Segment | IsothermError {
  const { path, indexPath } = segmentPaths(directory, startOffset)
  if (!existsSync(indexPath)) return damaged(path, 'its side file is missing')
  const indexFd = openSync(indexPath, 'r')
  try {
    const createdAtMs = createdAtOf(indexFd, startOffset)
    if (createdAtMs === undefined) {
      return damaged(path, `its side file does not begin with ${indexMagic} and its offset`)
    }
    const recordCount = Math.floor((fstatSync(indexFd).size - indexHeaderBytes) / indexEntryBytes)
    if (startOffset + recordCount !== endOffset) {
      return damaged(path, `it has ${recordCount} records, expected ${endOffset - startOffset}`)
    }
    const last = Buffer.alloc(indexEntryBytes)
    if (recordCount > 0) {
      const at = indexHeaderBytes + (recordCount - 1) * indexEntryBytes
      readSync(indexFd, last, 0, indexEntryBytes, at)
    }
    const sizeBytes = statSync(path).size
    if (last.readUInt32LE(4) !== sizeBytes) {
      return damaged(path, `it is ${sizeBytes} bytes long, expected ${last.readUInt32LE(4)}`)
    }
    const sealedAtMs = undefined
    return {
      startOffset,
      endOffset,
      createdAtMs,
      path,
      indexPath,
      sizeBytes,
      sealedAtMs,
      pinCount: 0,
    }
  } finally {
    closeSync(indexFd)
  }
}

/**
 * Opens a sealed segment. A side file that was lost or changed is made again, if the chain proves
 * that the segment itself is what was sealed.
 * @throws IsothermError LOG_DAMAGED if the segment does not have the shape it was sealed with
 */
export function openSealed(
  directory: string,
  startOffset: number,
  endOffset: number,
  links: readonly ChainLink[],
): Segment {
  const segment = readShape(directory, startOffset, endOffset)
  if (!(segment instanceof IsothermError)) return segment
  const link = links.find((candidate) => candidate.startOffset === startOffset)
  if (link === undefined || !restoreSideFile(directory, link)) throw segment
  const restored = readShape(directory, startOffset, endOffset)
  if (restored instanceof IsothermError) throw restored
  return restored
}

/** Writes the side file anew from the lines; false if it would not be the one that was sealed. */
function restoreSideFile(directory: string, link: ChainLink): boolean {
  const { path, indexPath } = segmentPaths(directory, link.startOffset)
  const data = readFileSync(path)
  const index = sideFileOf(data, link)
  if (sha256(data) !== link.data || sha256(index) !== link.index) return false
  const temporary = `${indexPath}.new`
  const descriptor = openSync(temporary, 'w')
  try {
    writeSync(descriptor, index)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, indexPath)
  syncDirectory(directory)
  return true
}

/** The side file that a segment was sealed with, made from its lines. */
export function sideFileOf(
  data: Buffer,
  { startOffset, endOffset, createdAtMs }: ChainLink,
): Buffer {
  const index = Buffer.alloc(indexHeaderBytes + (endOffset - startOffset) * indexEntryBytes)
  indexHeader(startOffset, createdAtMs).copy(index)
  let start = 0
  for (let at = indexHeaderBytes; at < index.length; at += indexEntryBytes) {
    const end = data.indexOf(lineFeed, start) + 1
    if (end === 0) break
    const line = data.subarray(start, end)
    index.writeUInt32LE(crc32(line), at)
    index.writeUInt32LE(end, at + 4)
    index.writeDoubleLE(
      Number(/"t":(-?[\d.e+]+)/.exec(line.toString('latin1', 0, 80))?.[1]),
      at + 8,
    )
    start = end
  }
  return index
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
