import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DeviceLog, DoorBooks, NewRecord } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { type DoorCount, DoorCounter, hourOf } from './door-count.ts'
import { DoorJournal, readJournal } from './door-journal.ts'
import { FleetSums } from './fleet-sums.ts'
import { type DoorRow, LedgerStore, wholeFleet } from './ledger-store.ts'
import { countLog, type LogCount } from './log-count.ts'

/** Consumer group under which the log keeps what has not been audited, ING-19. */
const auditGroup = 'isotherm-ledger'
const flushMs = 10_000
/** Devices with news that make a flush due before its time. */
const maxHeldCounts = 100_000
/** Rows between turns of the event loop: some 5 ms. */
const rowsPerTurn = 1_000
const hoursPerDay = 24

/** What a ledger is made of. */
export type LedgerOptions = {
  /** Folder of the ledger's own files. */
  readonly directory: string
  readonly log: DeviceLog
  readonly lake: Pick<Lake, 'withConnection'>
  readonly clock: () => number
  /** How often the log is counted; default 60 s. */
  readonly auditMs?: number
  /** Days that every device and hour is kept; default 7, as long as the log. */
  readonly keepDays?: number
  /** Days that hours are kept which do not balance, and those of the fleet; default 90. */
  readonly keepUnbalancedDays?: number
  /** Told of a flush or an audit that failed; it is tried again. */
  readonly onFailure: (error: unknown) => void
}

/** The running ledger: the door's books, and their comparison with the log. */
export type MessageLedger = {
  readonly books: DoorBooks
  /** Counts the log up to now and compares. */
  readonly audit: () => Promise<void>
  /** Writes what is counted, audits once more and closes. */
  readonly close: () => Promise<void>
}

const startOf = (partition: number) => `door ${partition}`
const auditOf = (partition: number) => `audit ${partition}`

class Ledger {
  readonly #options: LedgerOptions
  readonly #store: LedgerStore
  readonly #journal: DoorJournal
  readonly #counter = new DoorCounter()
  #turns: Promise<unknown> = Promise.resolve()
  #isFlushDue = false
  #isClosed = false

  constructor(options: LedgerOptions) {
    mkdirSync(options.directory, { recursive: true })
    this.#options = options
    this.#store = new LedgerStore(join(options.directory, 'ledger.db'))
    this.#journal = new DoorJournal(options.directory, this.#store.meta('journal') ?? 0)
  }

  stored(records: readonly NewRecord[]): void {
    this.#counter.add(records)
    if (this.#counter.size < maxHeldCounts || this.#isFlushDue) return
    this.#isFlushDue = true
    void this.flush().catch(this.#options.onFailure)
  }

  note: DoorBooks['note'] = (notes) => this.#journal.add(notes)

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turns.then(work, work)
    this.#turns = next.catch(() => undefined)
    return next
  }

  flush(): Promise<void> {
    return this.#inTurn(() => (this.#isClosed ? Promise.resolve() : this.#flush()))
  }

  audit(): Promise<void> {
    return this.#inTurn(() => (this.#isClosed ? Promise.resolve() : this.#audit()))
  }

  /** Reads what the log took after the last flush, because a crash took the counts of it. */
  async recover(): Promise<void> {
    const { log, lake } = this.#options
    for (let partition = 0; partition < log.partitionCount; partition++) {
      const end = log.bounds(partition).endOffset
      const start = this.#store.meta(startOf(partition))
      const rows = start === undefined ? [] : await countLog(log, lake, { partition, start, end })
      await this.#store.transaction(async () => {
        for (const { hour, deviceId: device_id, count } of rows) {
          this.#store.addDoor({ hour, device_id, term: 'received', count })
          this.#store.addDoor({ hour, device_id, term: 'recovered', count })
        }
        this.#store.setMeta(startOf(partition), end)
        // A ledger that begins beside an older log claims nothing of what was before.
        // Nor of a log that was put back and ends before what was audited.
        const audited = this.#store.meta(auditOf(partition)) ?? 0
        if (start === undefined || audited > end) this.#store.setMeta(auditOf(partition), end)
      })
    }
  }

  async #flush(): Promise<void> {
    this.#isFlushDue = false
    const { log } = this.#options
    // In a turn of its own, everything the log calls durable has been counted, and nothing else.
    await nextTurn()
    const counts = this.#counter.take()
    const ends = Array.from({ length: log.partitionCount }, (_, n) => log.bounds(n).endOffset)
    try {
      const journals = await this.#journal.rotate()
      const applied = this.#store.meta('journal') ?? 0
      const fresh = journals.filter((number) => number > applied)
      if (counts.length > 0 || fresh.length > 0) await this.#write(counts, fresh, ends)
    } catch (error) {
      this.#counter.putBack(counts)
      // The timer tries again; until then a full counter does not.
      this.#isFlushDue = true
      throw error
    }
    this.#journal.removeUpTo(this.#store.meta('journal') ?? 0)
  }

  async #write(
    counts: readonly DoorCount[],
    journals: readonly number[],
    ends: readonly number[],
  ): Promise<void> {
    const store = this.#store
    await store.transaction(async () => {
      for (const [n, { hour, deviceId: device_id, count }] of counts.entries()) {
        store.addDoor({ hour, device_id, term: 'received', count })
        if (n % rowsPerTurn === rowsPerTurn - 1) await nextTurn()
      }
      for (const number of journals) {
        const notes = readJournal(this.#options.directory, number)
        for (const [n, { deviceId: device_id, atMs, kind: term, count }] of notes.entries()) {
          const hour = hourOf(atMs)
          store.addDoor({ hour, device_id, term: 'received', count })
          store.addDoor({ hour, device_id, term, count })
          if (n % rowsPerTurn === rowsPerTurn - 1) await nextTurn()
        }
        store.setMeta('journal', number)
      }
      for (const [partition, end] of ends.entries()) store.setMeta(startOf(partition), end)
    })
  }

  async #audit(): Promise<void> {
    await this.#flush()
    const { log, lake, clock } = this.#options
    const counted: LogCount[] = []
    const ends: number[] = []
    for (let partition = 0; partition < log.partitionCount; partition++) {
      const start = this.#store.meta(auditOf(partition)) ?? 0
      const end = this.#store.meta(startOf(partition)) ?? start
      // Not spread: a list of all devices and hours is longer than a call takes arguments.
      for (const row of await countLog(log, lake, { partition, start, end })) counted.push(row)
      ends.push(end)
    }
    await this.#store.transaction(async () => {
      const fleet = new FleetSums()
      await this.#bookLog(counted, fleet)
      await this.#bookDoor(fleet)
      fleet.writeTo(this.#store)
      for (const [partition, end] of ends.entries()) this.#store.setMeta(auditOf(partition), end)
      this.#store.setMeta('as of', clock())
      this.#forget(hourOf(clock()))
    })
    for (const [partition, end] of ends.entries()) {
      await log.commitPosition(auditGroup, partition, end)
    }
  }

  async #bookLog(counted: readonly LogCount[], fleet: FleetSums): Promise<void> {
    for (const [n, { hour, deviceId, reason, count }] of counted.entries()) {
      const term = reason === null ? 'stored' : 'rejected'
      this.#store.addEntry(hour, deviceId, { [term]: count })
      fleet.add(hour, term, count)
      if (reason !== null) {
        this.#store.addRejection(hour, deviceId, reason, count)
        fleet.addReason(hour, reason, count)
      }
      if (n % rowsPerTurn === rowsPerTurn - 1) await nextTurn()
    }
  }

  /** Moves what the door counted into the ledger, a page at a time. */
  async #bookDoor(fleet: FleetSums): Promise<void> {
    const page = `SELECT hour, device_id, term, count FROM door
      WHERE (hour, device_id, term) > (?, ?, ?) ORDER BY hour, device_id, term LIMIT ?`
    let last: DoorRow | undefined
    do {
      const { hour, device_id, term } = last ?? { hour: -1, device_id: '', term: '' }
      const rows = this.#store.all<DoorRow>(page, hour, device_id, term, rowsPerTurn)
      for (const row of rows) this.#bookDoorRow(row, fleet)
      last = rows.at(-1)
      await nextTurn()
    } while (last !== undefined)
    this.#store.run('DELETE FROM door')
  }

  #bookDoorRow({ hour, device_id, term, count }: DoorRow, fleet: FleetSums): void {
    const own = term === 'received' || term === 'recovered'
    const sum = own ? term : term === 'DUPLICATE' ? 'duplicate' : 'rejected'
    this.#store.addEntry(hour, device_id, { [sum]: count })
    fleet.add(hour, sum, count)
    if (sum !== 'rejected') return
    this.#store.addRejection(hour, device_id, term, count)
    fleet.addReason(hour, term, count)
  }

  /** Deletes what is older than it is kept: a few hours of the past, each once. */
  #forget(hour: number): void {
    const { keepDays = 7, keepUnbalancedDays = 90 } = this.#options
    const kept = hour - keepDays * hoursPerDay
    const last = hour - keepUnbalancedDays * hoursPerDay
    const from = Math.max(this.#store.meta('forgotten') ?? kept - 1, kept - hoursPerDay)
    for (let old = from + 1; old <= kept; old++) {
      this.#store.run(
        'DELETE FROM entries WHERE hour = ? AND device_id <> ? AND received = stored + duplicate + rejected',
        old,
        wholeFleet,
      )
      this.#store.run(
        'DELETE FROM rejections WHERE hour = ? AND device_id <> ? AND device_id NOT IN (SELECT device_id FROM entries WHERE hour = ?)',
        old,
        wholeFleet,
        old,
      )
      this.#store.setMeta('forgotten', old)
    }
    this.#store.run('DELETE FROM entries WHERE hour < ?', last)
    this.#store.run('DELETE FROM rejections WHERE hour < ?', last)
  }

  async close(): Promise<void> {
    try {
      await this.audit()
    } catch (error) {
      // The next start reads from the log what this one could not book.
      this.#options.onFailure(error)
    }
    await this.#inTurn(async () => {
      this.#isClosed = true
      try {
        await this.#journal.rotate()
      } finally {
        this.#store.close()
      }
    })
  }
}

/**
 * Opens the ledger beside an open log, before anything is appended to it. After a crash it first
 * reads the records that the log took since the last flush: at most some ten seconds of them.
 */
export async function openLedger(options: LedgerOptions): Promise<MessageLedger> {
  const ledger = new Ledger(options)
  await ledger.recover()
  const flushTimer = setInterval(
    () => void ledger.flush().catch(options.onFailure),
    flushMs,
  ).unref()
  const auditTimer = setInterval(
    () => void ledger.audit().catch(options.onFailure),
    options.auditMs ?? 60_000,
  ).unref()
  return {
    books: { stored: (records) => ledger.stored(records), note: ledger.note },
    audit: () => ledger.audit(),
    close: async () => {
      clearInterval(flushTimer)
      clearInterval(auditTimer)
      await ledger.close()
    },
  }
}
