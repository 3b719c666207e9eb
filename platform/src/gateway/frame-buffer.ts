/** Bytes of a connection that are not handled yet, joined only when enough of them are there. */
export class FrameBuffer {
  #chunks: Buffer[] = []
  #sizeBytes = 0
  #needed = 1

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Adds bytes; true when there are as many as `put` asked for. */
  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk)
    this.#sizeBytes += chunk.length
    return this.#sizeBytes >= this.#needed
  }

  /** Takes everything out. */
  take(): Buffer {
    const [first] = this.#chunks
    const bytes =
      this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#sizeBytes = 0
    this.#needed = 1
    return bytes
  }

  /** Puts back what could not be handled before `needed` bytes are there. */
  put(rest: Buffer, needed: number): void {
    if (rest.length > 0) this.#chunks = [rest]
    this.#sizeBytes = rest.length
    this.#needed = needed
  }

  clear(): void {
    this.#chunks = []
    this.#sizeBytes = 0
  }
}
