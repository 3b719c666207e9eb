const acknowledgement = 0x40
/** Stands for a QoS 0 message: it holds its place and is not answered. */
export const noPacketId = 0

/**
 * Messages of a session in the order they came, each answered once it is durable, its delay has
 * passed and all before it are answered.
 */
export class AnswerQueue {
  readonly #packetIds: number[] = []
  readonly #dueMs: number[] = []
  #durableCount = 0

  get length(): number {
    return this.#packetIds.length
  }

  /** How many of them are durable. */
  get durableCount(): number {
    return this.#durableCount
  }

  /** @param dueMs earliest time of the answer; 0 for as soon as it is durable */
  push(packetId: number, dueMs: number): void {
    this.#packetIds.push(packetId)
    this.#dueMs.push(dueMs)
  }

  /** The oldest message that was not durable is. */
  stored(): void {
    this.#durableCount++
  }

  /** When the first durable message may be answered; undefined if none is durable. */
  nextDueMs(): number | undefined {
    return this.#durableCount > 0 ? this.#dueMs[0] : undefined
  }

  /** Removes what may be answered now and returns its PUBACK packets, or undefined if nothing. */
  takeAnswers(nowMs: number): Buffer | undefined {
    let count = 0
    while (count < this.#durableCount && this.#dueMs[count]! <= nowMs) count++
    if (count === 0) return undefined
    const answers = Buffer.allocUnsafe(count * 4)
    let at = 0
    for (let i = 0; i < count; i++) {
      const packetId = this.#packetIds[i]!
      if (packetId === noPacketId) continue
      answers[at] = acknowledgement
      answers[at + 1] = 2
      answers[at + 2] = packetId >> 8
      answers[at + 3] = packetId & 0xff
      at += 4
    }
    this.#packetIds.splice(0, count)
    this.#dueMs.splice(0, count)
    this.#durableCount -= count
    return answers.subarray(0, at)
  }
}
