import { parsed, parseId, wordsPerId } from './id-words.ts'

/** Slots of one table: 16 MiB, of which only touched pages cost memory. */
const slotCount = 1 << 20
const slotMask = slotCount - 1
/** Ids of a table; three quarters full, so that probes stay short. */
const idsPerTable = slotCount * 0.75

type Table = { readonly words: Uint32Array; count: number; newestMs: number }

/** Word index of the slot that holds the parsed id, or of the free one where it would go. */
function slotOf(words: Uint32Array): number {
  const a = parsed[0]!
  const b = parsed[1]!
  const c = parsed[2]!
  const d = parsed[3]!
  // The bytes of a UUIDv5 are those of a hash already.
  let slot = a & slotMask
  for (;;) {
    const at = slot * wordsPerId
    if (words[at + 1] === 0) return at
    const isSame =
      words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d
    if (isSame) return at
    slot = (slot + 1) & slotMask
  }
}

/**
 * Ids of the messages stored within a window of time, to know a repeat, ING-10.
 *
 * A message is only called a repeat if all 128 bits of its id are those of one that is durable.
 * Ids are hashes of device, timestamp and message id or payload: a message with the id of another
 * is that message by definition, so none that is new is ever refused. No shortened hash and no
 * filter is trusted with that.
 *
 * Costs 21 bytes a message, 31 kB for a device that sends every minute for a day. Full, it forgets
 * the oldest first: a repeat of what was forgotten is stored again and removed at cleansing.
 */
export class DuplicateWindow {
  readonly #windowMs: number
  readonly #maxTables: number
  /** Oldest first; ids go into the last. */
  readonly #tables: Table[] = []

  constructor(options: { readonly windowMs: number; readonly maxIds: number }) {
    this.#windowMs = options.windowMs
    this.#maxTables = Math.max(1, Math.ceil(options.maxIds / idsPerTable))
  }

  get idCount(): number {
    return this.#tables.reduce((sum, { count }) => sum + count, 0)
  }

  has(id: string): boolean {
    if (!parseId(id)) return false
    // Most repeats come soon after the message itself.
    for (let i = this.#tables.length - 1; i >= 0; i--) {
      const { words } = this.#tables[i]!
      if (words[slotOf(words) + 1] !== 0) return true
    }
    return false
  }

  /** Remembers the id of a durable message. */
  add(id: string, nowMs: number): void {
    if (!parseId(id)) return
    const table = this.#tableFor(nowMs)
    const at = slotOf(table.words)
    if (table.words[at + 1] !== 0) return
    table.words.set(parsed, at)
    table.count++
    if (nowMs > table.newestMs) table.newestMs = nowMs
  }

  /** Forgets tables in which every id is older than the window. */
  forgetOld(nowMs: number): void {
    while (this.#tables[0] !== undefined && this.#tables[0].newestMs < nowMs - this.#windowMs) {
      this.#tables.shift()
    }
  }

  #tableFor(nowMs: number): Table {
    const last = this.#tables.at(-1)
    if (last !== undefined && last.count < idsPerTable) return last
    this.forgetOld(nowMs)
    if (this.#tables.length >= this.#maxTables) this.#tables.shift()
    const table = { words: new Uint32Array(slotCount * wordsPerId), count: 0, newestMs: nowMs }
    this.#tables.push(table)
    return table
  }
}
