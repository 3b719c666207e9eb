import {
  type DeviceLog,
  type DoorBooks,
  type DoorNote,
  IsothermError,
  type NewRecord,
} from '../contracts/index.ts'
import type { Counters } from './counters.ts'
import type { DuplicateWindow } from './duplicate-window.ts'
import { InFlightIds } from './in-flight-ids.ts'

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
  /** In the order of submission; more than records, because those of repeats wait with them. */
  owners: MessageOwner[]
  /** Ids in flight elsewhere that were sent again: answered when they are durable. */
  awaited: string[]
  /** Repeats to be noted before their owners are answered. */
  repeats: DoorNote[]
  sizeBytes: number
}

const emptyBatch = (): Batch => ({
  records: [],
  owners: [],
  awaited: [],
  repeats: [],
  sizeBytes: 0,
})

/** For a gateway without a ledger. */
const noBooks: DoorBooks = { stored: () => undefined, note: async () => undefined }

function repeatOf({ deviceId, ingestedAtMs: atMs }: NewRecord): DoorNote {
  return { deviceId, atMs, kind: 'DUPLICATE', count: 1 }
}

/** History has no repeats to fear, and would drive out what came today; bad messages all count. */
const mayRepeat = ({ body, protocol }: NewRecord) =>
  body.kind === 'readable' && protocol !== 'import'

/**
 * Collects the messages of all sessions and appends those of one turn of the event loop together.
 * Bounds the bytes between arrival and durability, and keeps what a full disk refused until the log
 * takes it: nothing is answered and, through `isFull`, nothing more is read meanwhile, ING-11.
 */
export class Intake {
  readonly #log: DeviceLog
  readonly #books: DoorBooks
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
  readonly #window: DuplicateWindow
  readonly #clock: () => number
  /** Ids of messages that may repeat, between submission and durability. */
  readonly #inFlight = new InFlightIds()
  readonly #duplicates: { value: number }
  /** The answers of the batch before. */
  #tail: Promise<void> = Promise.resolve()
  /** Those who wait for a message in flight. */
  #settling: (() => void)[] = []

  constructor(
    log: DeviceLog,
    counters: Counters,
    options: {
      readonly maxInFlightBytes: number
      readonly window: DuplicateWindow
      readonly clock: () => number
      /** Told of every message that is dealt with. */
      readonly books?: DoorBooks
    },
  ) {
    this.#log = log
    this.#counters = counters
    this.#maxInFlightBytes = options.maxInFlightBytes
    this.#window = options.window
    this.#clock = options.clock
    this.#books = options.books ?? noBooks
    this.#stored = counters.cell('gateway_messages_stored_total')
    this.#duplicates = counters.cell('gateway_messages_duplicate_total')
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
    this.#filling.owners.push(owner)
    if (!this.#isRepeat(record)) {
      const sizeBytes = record.body.payload.length
      this.#filling.records.push(record)
      this.#filling.sizeBytes += sizeBytes
      this.#inFlightBytes += sizeBytes
    }
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
    const fresh: NewRecord[] = []
    try {
      await this.#untilSettled(records)
      const repeats: DoorNote[] = []
      for (const record of records) {
        if (this.#isFresh(record)) fresh.push(record)
        else repeats.push(repeatOf(record))
      }
      this.#duplicates.value += records.length - fresh.length
      if (fresh.length > 0) await this.#log.append(fresh)
      this.#stored.value += fresh.length
      this.#books.stored(fresh)
      this.#remember(fresh)
      await this.#books.note(repeats)
    } finally {
      this.#release(fresh)
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
    if (batch.owners.length === 0) return
    // Behind a refused batch: order within a device is kept.
    if (this.isStalled) return
    this.#filling = emptyBatch()
    // #appendBatch settles the batch itself and does not reject.
    void this.#appendBatch(batch)
  }

  async #appendBatch(batch: Batch): Promise<void> {
    const previous = this.#tail
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tail = promise
    this.#outstanding++
    try {
      if (batch.records.length > 0) await this.#log.append(batch.records)
      this.#books.stored(batch.records)
      this.#remember(batch.records)
      this.#wake()
      const noted = this.#note(batch.repeats)
      // A session's answers go out in order, also those of repeats, which append nothing.
      await previous
      await this.#untilAwaited(batch.awaited)
      this.#answer(batch, await noted)
    } catch (error) {
      this.#failed(batch, error)
    }
    this.#outstanding--
    resolve()
    this.#settled()
  }

  /** False if the disk does not take the notes: the repeats are then not answered yet. */
  async #note(repeats: readonly DoorNote[]): Promise<boolean> {
    if (repeats.length === 0) return true
    try {
      await this.#books.note(repeats)
      return true
    } catch (error) {
      if (!(error instanceof IsothermError)) throw error
      this.#counters.add('gateway_append_errors_total', 'code', error.code)
      return false
    }
  }

  #answer(batch: Batch, isNoted: boolean): void {
    const { owners, records, awaited } = batch
    this.#inFlightBytes -= batch.sizeBytes
    this.#stored.value += records.length
    const open = awaited.filter((id) => !this.#window.has(id))
    // What it repeats came by a request that failed and is not kept: its device has to send again.
    const isLost = open.some((id) => !this.#inFlight.has(id))
    // Behind a batch that was refused it waits too: sessions are answered in order, by position.
    if (!isNoted || open.length > 0 || this.#refused.length > 0) {
      if (this.#isBroken || isLost) {
        for (const owner of new Set(owners)) owner.abandon()
        return
      }
      // What it repeats has not become durable, the disk being full: it waits for the same retry.
      const repeats = isNoted ? [] : batch.repeats
      this.#refused.push({ ...emptyBatch(), owners, awaited, repeats })
      return
    }
    for (let i = 0; i < owners.length; i++) owners[i]!.stored()
    // A window of one session comes in one piece, and is answered in one.
    for (let i = 0; i < owners.length; i++) {
      if (owners[i] !== owners[i + 1]) owners[i]!.answer()
    }
    if (this.#waiting.size > 0 && !this.isFull) this.#resumeWaiting()
  }

  #failed(batch: Batch, error: unknown): void {
    if (error instanceof IsothermError && error.code === 'DISK_FULL') {
      this.#counters.add('gateway_append_errors_total', 'code', 'DISK_FULL')
      this.#refused.push(batch)
      this.#wake()
      return
    }
    this.#counters.add('gateway_append_errors_total', 'code', 'LOG_CLOSED')
    this.#isBroken = true
    this.#inFlightBytes -= batch.sizeBytes
    this.#release(batch.records)
    for (const owner of new Set(batch.owners)) owner.abandon()
  }

  #settled(): void {
    if (this.#outstanding > 0) return
    if (this.#refused.length > 0 && !this.#isBroken) {
      this.#retryTimer = setTimeout(() => this.#retry(), retryMs)
    } else if (this.#filling.owners.length > 0 && !this.#isScheduled) this.#flush()
    if (this.#outstanding === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** One append for everything that was refused, in order. */
  #retry(): void {
    const batches = this.#refused
    this.#refused = []
    void this.#appendBatch({
      records: batches.flatMap(({ records }) => records),
      owners: batches.flatMap(({ owners }) => owners),
      awaited: batches.flatMap(({ awaited }) => awaited),
      repeats: batches.flatMap(({ repeats }) => repeats),
      sizeBytes: batches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    })
  }

  /** Whether a message is new; from here on until it is released it is in flight. */
  #isFresh(record: NewRecord): boolean {
    if (!mayRepeat(record)) return true
    const { eventId } = record
    if (this.#inFlight.has(eventId) || this.#window.has(eventId)) return false
    this.#inFlight.add(eventId)
    return true
  }

  #isRepeat(record: NewRecord): boolean {
    if (this.#isFresh(record)) return false
    this.#duplicates.value++
    this.#filling.repeats.push(repeatOf(record))
    if (this.#inFlight.has(record.eventId)) this.#filling.awaited.push(record.eventId)
    return true
  }

  /** What is durable is known from now on and no longer in flight. */
  #remember(records: readonly NewRecord[]): void {
    const nowMs = this.#clock()
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      if (mayRepeat(record)) this.#window.add(record.eventId, nowMs)
      this.#inFlight.delete(record.eventId)
    }
  }

  #release(records: readonly NewRecord[]): void {
    for (const { eventId } of records) this.#inFlight.delete(eventId)
    this.#wake()
  }

  #wake(): void {
    if (this.#settling.length > 0) for (const resolve of this.#settling.splice(0)) resolve()
  }

  /** Waits for messages that a request has in flight, unless the disk is full. */
  async #untilAwaited(ids: readonly string[]): Promise<void> {
    const isOpen = (id: string) => this.#inFlight.has(id) && !this.#window.has(id)
    while (!this.isStalled && ids.some(isOpen)) {
      await new Promise<void>((resolve) => this.#settling.push(resolve))
    }
  }

  /** Waits until nothing a request repeats is in flight: then it is durable, or it is not there. */
  async #untilSettled(records: readonly NewRecord[]): Promise<void> {
    while (records.some(({ eventId }) => this.#inFlight.has(eventId))) {
      if (this.isStalled) {
        throw new IsothermError(
          'DISK_FULL',
          'gateway: the log takes no messages now; send again later',
        )
      }
      await new Promise<void>((resolve) => this.#settling.push(resolve))
    }
  }

  #resumeWaiting(): void {
    for (const owner of this.#waiting) {
      if (this.isFull) return
      this.#waiting.delete(owner)
      owner.resume()
    }
  }
}
