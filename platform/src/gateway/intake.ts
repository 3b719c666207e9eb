import { type DeviceLog, IsothermError, type NewRecord } from '../contracts/index.ts'
import type { Counters } from './counters.ts'

const retryMs = 1_000

/** Who waits for a message to be durable. */
export type MessageOwner = {
  /** One more of the owner's messages is on disk; they come in the order of submission. */
  readonly stored: () => void
  /** All messages reported so far may be answered now. */
  readonly answer: () => void
  /** There is room again for an owner that was told to wait. */
  readonly resume: () => void
  /** The log is gone: nothing more will be stored, nothing may be answered. */
  readonly abandon: () => void
}

type Batch = {
  records: NewRecord[]
  owners: MessageOwner[]
  sizeBytes: number
}

const emptyBatch = (): Batch => ({ records: [], owners: [], sizeBytes: 0 })

/**
 * Collects the messages of all sessions and appends those of one turn of the event loop together.
 * Bounds the bytes between arrival and durability, and keeps what a full disk refused until the log
 * takes it: nothing is answered and, through `isFull`, nothing more is read meanwhile, ING-11.
 */
export class Intake {
  readonly #log: DeviceLog
  readonly #counters: Counters
  readonly #maxInFlightBytes: number
  readonly #stored: { value: number }
  #filling = emptyBatch()
  #refused: Batch[] = []
  #outstanding = 0
  #inFlightBytes = 0
  #isScheduled = false
  #isBroken = false
  #retryTimer: NodeJS.Timeout | undefined
  readonly #waiting = new Set<MessageOwner>()
  #idle: (() => void)[] = []

  constructor(log: DeviceLog, counters: Counters, maxInFlightBytes: number) {
    this.#log = log
    this.#counters = counters
    this.#maxInFlightBytes = maxInFlightBytes
    this.#stored = counters.cell('gateway_messages_stored_total')
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /** The log refuses appends at the moment. */
  get isStalled(): boolean {
    return this.#refused.length > 0 || this.#isBroken
  }

  get isFull(): boolean {
    return this.#inFlightBytes >= this.#maxInFlightBytes || this.isStalled
  }

  submit(record: NewRecord, owner: MessageOwner): void {
    const sizeBytes = record.body.payload.length
    this.#filling.records.push(record)
    this.#filling.owners.push(owner)
    this.#filling.sizeBytes += sizeBytes
    this.#inFlightBytes += sizeBytes
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#flush()
    })
  }

  /** Calls `resume` of the owner once there is room. */
  waitForRoom(owner: MessageOwner): void {
    this.#waiting.add(owner)
  }

  forget(owner: MessageOwner): void {
    this.#waiting.delete(owner)
  }

  /** Appends a request's messages; rejects at once while the log cannot take them. */
  async append(records: readonly NewRecord[], sizeBytes: number): Promise<void> {
    if (this.isStalled) {
      throw new IsothermError(
        'DISK_FULL',
        'gateway: the log takes no messages now; send again later',
      )
    }
    this.#inFlightBytes += sizeBytes
    this.#outstanding++
    try {
      await this.#log.append(records)
      this.#stored.value += records.length
    } finally {
      this.#inFlightBytes -= sizeBytes
      this.#outstanding--
      this.#settled()
    }
  }

  /** Resolves when everything submitted is durable, or the log is known not to take it. */
  async drain(): Promise<void> {
    this.#flush()
    if (this.#outstanding > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    clearTimeout(this.#retryTimer)
  }

  #flush(): void {
    const batch = this.#filling
    if (batch.records.length === 0) return
    // Behind a refused batch: order within a device is kept.
    if (this.isStalled) return
    this.#filling = emptyBatch()
    // #appendBatch settles the batch itself and does not reject.
    void this.#appendBatch(batch)
  }

  async #appendBatch(batch: Batch): Promise<void> {
    this.#outstanding++
    try {
      await this.#log.append(batch.records)
      this.#answer(batch)
    } catch (error) {
      this.#failed(batch, error)
    }
    this.#outstanding--
    this.#settled()
  }

  #answer(batch: Batch): void {
    this.#inFlightBytes -= batch.sizeBytes
    this.#stored.value += batch.records.length
    const { owners } = batch
    for (let i = 0; i < owners.length; i++) owners[i]!.stored()
    for (let i = 0; i < owners.length; i++) owners[i]!.answer()
    if (this.#waiting.size > 0 && !this.isFull) this.#resumeWaiting()
  }

  #failed(batch: Batch, error: unknown): void {
    if (error instanceof IsothermError && error.code === 'DISK_FULL') {
      this.#counters.add('gateway_append_errors_total', 'code', 'DISK_FULL')
      this.#refused.push(batch)
      return
    }
    this.#counters.add('gateway_append_errors_total', 'code', 'LOG_CLOSED')
    this.#isBroken = true
    this.#inFlightBytes -= batch.sizeBytes
    for (const owner of new Set(batch.owners)) owner.abandon()
  }

  #settled(): void {
    if (this.#outstanding > 0) return
    if (this.#refused.length > 0 && !this.#isBroken) {
      this.#retryTimer = setTimeout(() => this.#retry(), retryMs)
    } else if (this.#filling.records.length > 0 && !this.#isScheduled) this.#flush()
    if (this.#outstanding === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** One append for everything that was refused, in order. */
  #retry(): void {
    const batches = this.#refused
    this.#refused = []
    void this.#appendBatch({
      records: batches.flatMap(({ records }) => records),
      owners: batches.flatMap(({ owners }) => owners),
      sizeBytes: batches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    })
  }

  #resumeWaiting(): void {
    for (const owner of this.#waiting) {
      if (this.isFull) return
      this.#waiting.delete(owner)
      owner.resume()
    }
  }
}
