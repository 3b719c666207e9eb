import { parsed, parseId, wordsPerId } from './id-words.ts'

const firstCapacity = 1 << 12

/**
 * Ids of messages between their arrival and their durability: a set of UUIDs that come and go by
 * the hundred thousand a second. A set of strings would hash and rehash them all that time.
 */
export class InFlightIds {
  /** Open addressing; a free slot is all zeros, which no UUID is. At most half full. */
  #words = new Uint32Array(firstCapacity * wordsPerId)
  #mask = firstCapacity - 1
  #count = 0

  get size(): number {
    return this.#count
  }

  has(id: string): boolean {
    return parseId(id) && this.#words[this.#place() + 1] !== 0
  }

  add(id: string): void {
    if (!parseId(id)) return
    const at = this.#place()
    if (this.#words[at + 1] !== 0) return
    this.#words.set(parsed, at)
    this.#count++
    if (this.#count * 2 > this.#mask) this.#grow()
  }

  delete(id: string): void {
    if (!parseId(id)) return
    const at = this.#place()
    if (this.#words[at + 1] === 0) return
    this.#count--
    this.#close(at / wordsPerId)
  }

  /** Word index of the parsed id, or of the free slot where it would go. */
  #place(): number {
    const words = this.#words
    let slot = parsed[0]! & this.#mask
    for (;;) {
      const at = slot * wordsPerId
      const isFree = words[at + 1] === 0
      const isSame =
        words[at] === parsed[0] &&
        words[at + 1] === parsed[1] &&
        words[at + 2] === parsed[2] &&
        words[at + 3] === parsed[3]
      if (isFree || isSame) return at
      slot = (slot + 1) & this.#mask
    }
  }

  /** Frees a slot and moves up those behind it that would not be found over a gap. */
  #close(gap: number): void {
    const words = this.#words
    const mask = this.#mask
    let slot = (gap + 1) & mask
    while (words[slot * wordsPerId + 1] !== 0) {
      const home = words[slot * wordsPerId]! & mask
      if (((slot - home) & mask) >= ((slot - gap) & mask)) {
        words.copyWithin(gap * wordsPerId, slot * wordsPerId, (slot + 1) * wordsPerId)
        gap = slot
      }
      slot = (slot + 1) & mask
    }
    words.fill(0, gap * wordsPerId, (gap + 1) * wordsPerId)
  }

  #grow(): void {
    const old = this.#words
    this.#mask = this.#mask * 2 + 1
    this.#words = new Uint32Array((this.#mask + 1) * wordsPerId)
    for (let from = 0; from < old.length; from += wordsPerId) {
      if (old[from + 1] === 0) continue
      let slot = old[from]! & this.#mask
      while (this.#words[slot * wordsPerId + 1] !== 0) slot = (slot + 1) & this.#mask
      this.#words.set(old.subarray(from, from + wordsPerId), slot * wordsPerId)
    }
  }
}
