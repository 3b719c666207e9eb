const acknowledgement = 0x40
/** Stands for a QoS 0 message: it holds its place and is not answered. */
export const noPacketId = 0
/** Places of a queue at first; most sessions never have more messages open. */
const firstCapacity = 4
const nothing = { packetIds: new Uint16Array(0), dueMs: new Float64Array(0) }

/**
 * Messages of a session in the order they came, each answered once it is durable, its delay has
 * passed and all before it are answered. A ring that grows; a session that only listens has none.
 */
export class AnswerQueue {
  #packetIds = nothing.packetIds
  #dueMs = nothing.dueMs
  #first = 0
  #length = 0
  #durableCount = 0

  get length(): number {
    return this.#length
  }

  /** How many of them are durable. */
  get durableCount(): number {
    return this.#durableCount
  }

  /** @param dueMs earliest time of the answer; 0 for as soon as it is durable */
  push(packetId: number, dueMs: number): void {
    if (this.#length === this.#packetIds.length) this.#grow()
    const at = (this.#first + this.#length) & (this.#packetIds.length - 1)
    this.#packetIds[at] = packetId
    this.#dueMs[at] = dueMs
    this.#length++
  }

  /** The oldest message that was not durable is. */
  stored(): void {
    this.#durableCount++
  }

  /** When the first durable message may be answered; undefined if none is durable. */
  nextDueMs(): number | undefined {
    return this.#durableCount > 0 ? this.#dueMs[this.#first] : undefined
  }

  /** Removes what may be answered now and returns its PUBACK packets, or undefined if nothing. */
  takeAnswers(nowMs: number): Buffer | undefined {
    const mask = this.#packetIds.length - 1
    let count = 0
    while (count < this.#durableCount && this.#dueMs[(this.#first + count) & mask]! <= nowMs) {
      count++
    }
    if (count === 0) return undefined
    const answers = Buffer.allocUnsafe(count * 4)
    let at = 0
    for (let i = 0; i < count; i++) {
      const packetId = this.#packetIds[(this.#first + i) & mask]!
      if (packetId === noPacketId) continue
      answers[at] = acknowledgement
      answers[at + 1] = 2
      answers[at + 2] = packetId >> 8
      answers[at + 3] = packetId & 0xff
      at += 4
    }
    this.#first = (this.#first + count) & mask
    this.#length -= count
    this.#durableCount -= count
    return at === answers.length ? answers : answers.subarray(0, at)
  }

  /** Capacities are powers of two, so that a mask wraps positions. */
  #grow(): void {
    const capacity = Math.max(firstCapacity, this.#packetIds.length * 2)
    const packetIds = new Uint16Array(capacity)
    const dueMs = new Float64Array(capacity)
    for (let i = 0; i < this.#length; i++) {
      const from = (this.#first + i) & (this.#packetIds.length - 1)
      packetIds[i] = this.#packetIds[from]!
      dueMs[i] = this.#dueMs[from]!
    }
    this.#packetIds = packetIds
    this.#dueMs = dueMs
    this.#first = 0
  }
}
