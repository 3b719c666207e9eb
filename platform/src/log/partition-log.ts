import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { IsothermError, type NewRecord } from '../contracts/index.ts'
import { Batch, type Waiter } from './batch.ts'
import { SegmentChain } from './segment-chain.ts'
import type { Segment } from './segment-file.ts'
import { openSegments, type Recovery } from './segment-recovery.ts'
import { type DiskCalls, SegmentWriter, SyncFailed } from './segment-writer.ts'
import { Tail } from './tail.ts'

/** Above this many bytes a commit does not wait for the tick. */
const promptBytes = 2 << 20
const diskCheckIntervalMs = 1_000

/** What a partition needs; sizes are checked by `openLog`. */
export type PartitionOptions = {
  readonly directory: string
  readonly partition: number
  readonly segmentBytes: number
  readonly tickMs: number
  readonly maxWaitingBytes: number
  readonly maxDiskUsedShare: number
  readonly clock: () => number
  readonly disk: DiskCalls
}

type WaitingAppend = Waiter & { readonly records: readonly NewRecord[] }

function logClosed(directory: string, why: string, cause?: unknown): IsothermError {
  return new IsothermError('LOG_CLOSED', `log ${directory}: ${why}`, { cause })
}

function diskFull(directory: string, found: string, cause?: unknown): IsothermError {
  return new IsothermError(
    'DISK_FULL',
    `log ${directory}: ${found}; nothing was stored, free space and send again`,
    { cause },
  )
}

function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}

/**
 * One partition: a filling batch, at most one batch on its way to disk, and appends that wait for
 * room behind a bounded queue. All appends of a tick share one write and one fdatasync.
 */
export class PartitionLog {
  readonly sealed: Segment[]
  readonly tail = new Tail()
  readonly recovery: Recovery | undefined
  readonly #options: PartitionOptions
  readonly #chain: SegmentChain
  #writer: SegmentWriter
  /** Offset of the next record to be numbered; records up to it are filling or being written. */
  #nextOffset: number
  #filling = new Batch()
  #spare = new Batch()
  #writingBytes = 0
  #isRunning = false
  #isDiskBusy = false
  /** A commit that began before the running loop came round, because its batch was full. */
  #begun: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** When the next commit may begin, unless it is hurried: one per tick. */
  #tickEnd: Promise<void> = Promise.resolve()
  #closed: IsothermError | undefined
  #diskCheckedMs = Number.NEGATIVE_INFINITY
  #diskUsedShare = 0
  readonly #waiting: WaitingAppend[] = []
  #idle: (() => void)[] = []

  constructor(options: PartitionOptions) {
    const { directory, partition, clock, disk } = options
    const { sealed, active, recovery } = openSegments(directory, partition, clock())
    this.#options = options
    this.sealed = sealed
    this.recovery = recovery
    this.#chain = new SegmentChain(directory, active.segment.startOffset)
    this.#writer = new SegmentWriter(active, disk)
    this.#nextOffset = active.segment.endOffset
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  get active(): Segment {
    return this.#writer.segment
  }

  get startOffset(): number {
    return this.sealed[0]?.startOffset ?? this.active.startOffset
  }

  /** One past the last record that is on disk. */
  get endOffset(): number {
    return this.active.endOffset
  }

  append(records: readonly NewRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) reject(this.#closed)
      else if (records.length === 0) resolve()
      else if (this.#waiting.length > 0 || this.#isFull()) {
        this.#waiting.push({ records, resolve, reject })
      } else this.#admit(records, resolve, reject)
    })
  }

  /** Waits for everything accepted so far, then releases the files. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return
    this.#closed = logClosed(this.#options.directory, 'it was closed')
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closed)
    this.#start()
    if (this.#isRunning) await new Promise<void>((resolve) => this.#idle.push(resolve))
    this.#writer.closeFiles()
    this.#chain.close()
    this.tail.wake()
  }

  #isFull(): boolean {
    const waitingBytes = this.#filling.sizeBytes + this.#writingBytes
    return waitingBytes >= this.#options.maxWaitingBytes
  }

  #admit(records: readonly NewRecord[], resolve: () => void, reject: (error: Error) => void): void {
    const filling = this.#filling
    try {
      filling.add(records, this.#nextOffset, this.tail.isFollowed)
    } catch (error) {
      reject(error as Error)
      return
    }
    this.#nextOffset += records.length
    filling.waiters.push({ resolve, reject })
    this.#schedule()
  }

  #schedule(): void {
    const isPrompt = this.#filling.sizeBytes >= promptBytes
    if (this.#isRunning) {
      // The disk writes a full batch while the appends that were answered with it fill the next.
      if (isPrompt && !this.#isDiskBusy) this.#begun = this.#commitFilling()
    } else if (isPrompt) this.#start()
    else this.#timer ??= setTimeout(() => this.#start(), this.#options.tickMs)
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isRunning) return
    this.#isRunning = true
    // #run settles every waiter itself and does not reject.
    void this.#run()
  }

  async #run(): Promise<void> {
    while (this.#begun !== undefined || this.#filling.recordCount > 0) {
      const commit = this.#begun ?? this.#commitFilling()
      this.#begun = undefined
      await commit
      // Whoever was just answered may append at once: only then is the moment known to be quiet.
      await nextTurn()
      if (this.#begun !== undefined) continue
      if (this.#filling.recordCount === 0) await this.#prepareAhead()
      const isHurried = this.#filling.sizeBytes >= promptBytes || this.#closed !== undefined
      if (this.#filling.recordCount > 0 && !isHurried) await this.#tickEnd
    }
    this.#isRunning = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #commitFilling(): Promise<void> {
    this.#isDiskBusy = true
    const batch = this.#filling
    this.#filling = this.#spare
    this.#spare = batch
    this.#writingBytes = batch.sizeBytes
    this.#tickEnd = delay(this.#options.tickMs)
    try {
      this.#refuseFullDisk()
      if (this.active.sizeBytes >= this.#options.segmentBytes) await this.#rotate()
      await this.#writer.commit(batch)
    } catch (error) {
      // Still busy while waiting appends are let in: a commit of theirs would begin inside this one.
      this.#fail(error)
      this.#isDiskBusy = false
      return
    }
    this.#isDiskBusy = false
    this.#writingBytes = 0
    this.tail.push(this.endOffset - batch.recordCount, batch)
    for (const { resolve } of batch.waiters) resolve()
    batch.clear()
    this.#admitWaiting()
  }

  #admitWaiting(): void {
    while (this.#waiting.length > 0 && !this.#isFull()) {
      const next = this.#waiting.shift()
      if (next !== undefined) this.#admit(next.records, next.resolve, next.reject)
    }
  }

  /** ING-18: above the limit appends are refused, so that devices keep the data. */
  #refuseFullDisk(): void {
    const { clock, directory, disk, maxDiskUsedShare } = this.#options
    const nowMs = clock()
    if (Math.abs(nowMs - this.#diskCheckedMs) >= diskCheckIntervalMs) {
      this.#diskUsedShare = disk.usedShare(directory)
      this.#diskCheckedMs = nowMs
    }
    if (this.#diskUsedShare <= maxDiskUsedShare) return
    const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
    throw diskFull(
      directory,
      `the disk is ${percent(this.#diskUsedShare)} full, limit ${percent(maxDiskUsedShare)}`,
    )
  }

  async #rotate(): Promise<void> {
    const { directory, clock, disk } = this.#options
    const previous = this.#writer
    const nowMs = clock()
    // Sealed before the next one exists: whatever is not the newest must be whole at recovery.
    await previous.seal(this.#chain)
    const next = SegmentWriter.create(directory, this.endOffset, nowMs, disk)
    this.#replace(previous, next, nowMs)
  }

  #replace(previous: SegmentWriter, next: SegmentWriter, nowMs: number): void {
    previous.closeFiles()
    previous.segment.sealedAtMs = nowMs
    // A segment given up before its first record has the name of its successor: nothing to list.
    if (previous.segment.sizeBytes > 0) this.sealed.push(previous.segment)
    this.#writer = next
  }

  /** Uses a quiet moment to lay down zeros; without them the next commits only sync slower. */
  async #prepareAhead(): Promise<void> {
    if (!this.#writer.wantsZeros(this.#options.segmentBytes)) return
    this.#isDiskBusy = true
    try {
      await this.#writer.layZeros()
    } catch (error) {
      if (!isDiskFull(error)) this.#giveUpSegment(error)
    }
    this.#isDiskBusy = false
  }

  /**
   * Nothing of a failed batch is stored. What is numbered after it goes with it, because offsets
   * must stay without gaps.
   */
  #fail(error: unknown): void {
    if (error instanceof SyncFailed) this.#giveUpSegment(error)
    const reason =
      this.#closed ??
      (error instanceof IsothermError
        ? error
        : isDiskFull(error)
          ? diskFull(this.#options.directory, 'the disk is full', error)
          : logClosed(this.#options.directory, 'a write failed; nothing was stored', error))
    this.#writingBytes = 0
    this.#nextOffset = this.endOffset
    for (const batch of [this.#spare, this.#filling]) {
      const waiters = [...batch.waiters]
      batch.clear()
      for (const { reject } of waiters) reject(reason)
    }
    if (this.#closed === undefined) this.#admitWaiting()
    else for (const { reject } of this.#waiting.splice(0)) reject(this.#closed)
  }

  /** A sync error is never retried: the kernel may have dropped the pages it could not write. */
  #giveUpSegment(cause: unknown): void {
    const { directory, clock, disk } = this.#options
    try {
      const previous = this.#writer
      previous.abandon(this.#chain)
      const nowMs = clock()
      const next = SegmentWriter.create(directory, previous.segment.endOffset, nowMs, disk)
      this.#replace(previous, next, nowMs)
    } catch (error) {
      const broken = new AggregateError([cause, error], 'the disk failed twice')
      this.#closed = logClosed(
        directory,
        'a sync failed and so did a new segment; check the disk, then restart',
        broken,
      )
    }
  }
}
