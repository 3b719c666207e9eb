import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncate,
  ftruncateSync,
  statfsSync,
  write,
} from 'node:fs'
import { promisify } from 'node:util'
import type { Batch } from './batch.ts'
import type { SegmentChain } from './segment-chain.ts'
import {
  createSegment,
  indexEntryBytes,
  indexHeaderBytes,
  type OpenSegment,
  type Segment,
  type SegmentHashes,
} from './segment-file.ts'

const truncate = promisify(ftruncate)
/** Zeros laid down ahead of the records: a sync then has no file size to write, limits.md 3. */
const aheadBytes = 4 << 20
const zeros = Buffer.alloc(aheadBytes)

/** Calls that reach the disk, as parameters so that a test can let them fail. */
export type DiskCalls = {
  readonly write: (
    descriptor: number,
    bytes: Buffer,
    length: number,
    position: number,
  ) => Promise<void>
  readonly syncData: (descriptor: number) => Promise<void>
  /** Share of the disk under a folder that is in use, in [0, 1]. */
  readonly usedShare: (directory: string) => number
}

/** The real calls: a short write is continued, as POSIX allows one on a full disk. */
export const diskCalls: DiskCalls = {
  write: (descriptor, bytes, length, position) =>
    new Promise((resolve, reject) => {
      const writeFrom = (done: number): void => {
        write(descriptor, bytes, done, length - done, position + done, (error, written) => {
          if (error !== null) reject(error)
          else if (done + written < length) writeFrom(done + written)
          else resolve()
        })
      }
      writeFrom(0)
    }),
  syncData: promisify(fdatasync),
  usedShare: (directory) => {
    const { blocks, bfree, bavail } = statfsSync(directory)
    return (blocks - bfree) / (blocks - bfree + bavail)
  },
}

/** Raised when a sync failed: the segment takes no further record, only a new one does. */
export class SyncFailed extends Error {
  constructor(path: string, cause: unknown) {
    super(`log segment ${path}: fdatasync failed, so what it wrote last may be lost`, { cause })
    this.name = 'SyncFailed'
  }
}

/** The segment that takes appends, with its two open files. */
export class SegmentWriter {
  readonly segment: Segment
  readonly #dataFd: number
  readonly #indexFd: number
  #hashes: SegmentHashes
  readonly #disk: DiskCalls
  #zeroedTo: number
  #isClosed = false

  constructor(opened: OpenSegment, disk: DiskCalls) {
    this.segment = opened.segment
    this.#dataFd = opened.dataFd
    this.#indexFd = opened.indexFd
    this.#hashes = opened.hashes
    this.#disk = disk
    this.#zeroedTo = opened.segment.sizeBytes
  }

  static create(
    directory: string,
    startOffset: number,
    createdAtMs: number,
    disk: DiskCalls,
  ): SegmentWriter {
    return new SegmentWriter(createSegment(directory, startOffset, createdAtMs), disk)
  }

  /**
   * Writes a batch and returns when it is on disk. The index is not synced: after a power loss
   * recovery checks the records it misses by shape, and a sealed segment has a synced index.
   */
  async commit(batch: Batch): Promise<void> {
    const { segment } = this
    const position = segment.sizeBytes
    const recordsBefore = segment.endOffset - segment.startOffset
    batch.placeAt(position)
    let hashes: SegmentHashes
    try {
      const written = Promise.allSettled([
        this.#disk.write(this.#dataFd, batch.bytes, batch.sizeBytes, position),
        this.#disk.write(
          this.#indexFd,
          batch.index,
          batch.recordCount * indexEntryBytes,
          indexHeaderBytes + recordsBefore * indexEntryBytes,
        ),
      ])
      // Hashed while the disk is busy, on copies: a batch that fails must leave no trace in them.
      hashes = this.#hashesWith(batch)
      // Both have ended before either is judged: what is still on its way would land in later records.
      for (const outcome of await written) {
        if (outcome.status === 'rejected') throw outcome.reason
      }
    } catch (error) {
      // Half a batch must not look like records to a later recovery.
      this.#cutToDurable()
      throw error
    }
    try {
      await this.#disk.syncData(this.#dataFd)
    } catch (error) {
      throw new SyncFailed(segment.path, error)
    }
    this.#hashes = hashes
    segment.sizeBytes = position + batch.sizeBytes
    segment.endOffset += batch.recordCount
    this.#zeroedTo = Math.max(this.#zeroedTo, segment.sizeBytes)
  }

  /** True when a quiet moment should be used to lay down zeros. */
  wantsZeros(segmentBytes: number): boolean {
    const ahead = this.#zeroedTo - this.segment.sizeBytes
    return ahead < aheadBytes / 4 && this.#zeroedTo < segmentBytes
  }

  async layZeros(): Promise<void> {
    await this.#disk.write(this.#dataFd, zeros, aheadBytes, this.#zeroedTo)
    await this.#disk.syncData(this.#dataFd)
    this.#zeroedTo += aheadBytes
  }

  /**
   * Cuts the files to their records, makes both durable and links them into the chain; afterwards
   * readers use them as is. May be repeated: if no next segment can be made, this one goes on.
   */
  async seal(chain: SegmentChain): Promise<void> {
    await truncate(this.#dataFd, this.segment.sizeBytes)
    this.#zeroedTo = this.segment.sizeBytes
    await truncate(this.#indexFd, this.#indexBytes())
    await this.#disk.syncData(this.#dataFd)
    await this.#disk.syncData(this.#indexFd)
    chain.add(this.segment, this.#hashes)
  }

  /** After a failed sync: keeps what was durable before and gives the segment up. */
  abandon(chain: SegmentChain): void {
    this.#cutToDurable()
    fsyncSync(this.#dataFd)
    fsyncSync(this.#indexFd)
    if (this.segment.sizeBytes > 0) chain.add(this.segment, this.#hashes)
  }

  closeFiles(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#dataFd)
    closeSync(this.#indexFd)
  }

  #hashesWith(batch: Batch): SegmentHashes {
    return {
      data: this.#hashes.data.copy().update(batch.bytes.subarray(0, batch.sizeBytes)),
      index: this.#hashes.index
        .copy()
        .update(batch.index.subarray(0, batch.recordCount * indexEntryBytes)),
    }
  }

  #indexBytes(): number {
    const recordCount = this.segment.endOffset - this.segment.startOffset
    return indexHeaderBytes + recordCount * indexEntryBytes
  }

  #cutToDurable(): void {
    ftruncateSync(this.#dataFd, this.segment.sizeBytes)
    ftruncateSync(this.#indexFd, this.#indexBytes())
    this.#zeroedTo = this.segment.sizeBytes
  }
}
