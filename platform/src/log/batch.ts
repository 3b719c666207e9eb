import { crc32 } from 'node:zlib'
import type { NewRecord } from '../contracts/index.ts'
import { lineBound, writeLine } from './record-line.ts'
import { indexEntryBytes } from './segment-file.ts'

const initialBytes = 1 << 18
/** A buffer that grew beyond this for one burst is not kept. */
const keptBytes = 16 << 20

/** An append that waits for its batch to be durable. */
export type Waiter = {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Records of one commit, already in the bytes that go to disk. Index entries hold positions
 * relative to the batch until `placeAt` says where it goes.
 */
export class Batch {
  bytes: Buffer = Buffer.allocUnsafe(initialBytes)
  index: Buffer = Buffer.allocUnsafe(initialBytes >> 4)
  sizeBytes = 0
  recordCount = 0
  readonly waiters: Waiter[] = []
  /** The records themselves, only kept while somebody follows the log. */
  records: NewRecord[] = []

  /** Adds records with consecutive offsets; all or none of them. */
  add(records: readonly NewRecord[], firstOffset: number, keepRecords: boolean): void {
    const { sizeBytes, recordCount } = this
    try {
      for (let i = 0; i < records.length; i++) this.#addOne(records[i]!, firstOffset + i)
    } catch (error) {
      this.sizeBytes = sizeBytes
      this.recordCount = recordCount
      throw error
    }
    if (keepRecords) for (const record of records) this.records.push(record)
  }

  #addOne(record: NewRecord, offset: number): void {
    const start = this.sizeBytes
    const needed = start + lineBound(record)
    if (needed > this.bytes.length) this.bytes = grown(this.bytes, start, needed)
    const end = writeLine(this.bytes, start, offset, record)
    const at = this.recordCount * indexEntryBytes
    if (at + indexEntryBytes > this.index.length) {
      this.index = grown(this.index, at, at + indexEntryBytes)
    }
    this.index.writeUInt32LE(crc32(this.bytes.subarray(start, end)), at)
    this.index.writeUInt32LE(end, at + 4)
    this.index.writeDoubleLE(record.ingestedAtMs, at + 8)
    this.sizeBytes = end
    this.recordCount++
  }

  /** Makes the index positions absolute: the batch starts at `position` of its segment. */
  placeAt(position: number): void {
    for (let i = 0; i < this.recordCount; i++) {
      const at = i * indexEntryBytes + 4
      this.index.writeUInt32LE(this.index.readUInt32LE(at) + position, at)
    }
  }

  clear(): void {
    if (this.bytes.length > keptBytes) this.bytes = Buffer.allocUnsafe(initialBytes)
    this.sizeBytes = 0
    this.recordCount = 0
    this.waiters.length = 0
    this.records = []
  }
}

function grown(buffer: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(needed, buffer.length * 2))
  buffer.copy(larger, 0, 0, used)
  return larger
}
