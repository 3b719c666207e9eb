/** Hash of the empty key; bytes are added with `addToHash`. */
export const emptyHash = 7

export function addToHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false
  return true
}

/** Finds the number of a known key from its bytes, without making a string of it. */
export class KeyTable {
  readonly names: readonly string[]
  readonly #encoded: readonly Uint8Array[]
  /** Open addressing: slot + 1, 0 is empty. At most a quarter full, so probes are short. */
  readonly #slots: Int32Array
  readonly #mask: number

  constructor(names: readonly string[]) {
    this.names = names
    this.#encoded = names.map((name) => new Uint8Array(Buffer.from(name)))
    const size = 1 << (32 - Math.clz32(Math.max(4, names.length * 4)))
    this.#mask = size - 1
    this.#slots = new Int32Array(size)
    for (const [slot, name] of this.#encoded.entries()) {
      let at = name.reduce(addToHash, emptyHash) & this.#mask
      while (this.#slots[at] !== 0) at = (at + 1) & this.#mask
      this.#slots[at] = slot + 1
    }
  }

  /**
   * Length of the key with this number if it begins at `start` and its quote follows, else 0. A
   * device sends its keys in one order, so the next key is nearly always the expected one, and
   * comparing it costs half of hashing it.
   */
  expectedLength(slot: number, bytes: Uint8Array, start: number): number {
    if (slot >= this.#encoded.length) return 0
    const name = this.#encoded[slot]!
    const length = name.length
    if (bytes[start + length] !== 0x22) return 0
    for (let i = 0; i < length; i++) if (name[i] !== bytes[start + i]) return 0
    return length
  }

  /** Index in `names` of the key at [start, end), or -1; `hash` is that of its bytes. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    let at = hash & this.#mask
    for (;;) {
      const slot = this.#slots[at]! - 1
      if (slot < 0) return -1
      if (isSame(this.#encoded[slot]!, bytes, start, end)) return slot
      at = (at + 1) & this.#mask
    }
  }

  /** The same for a key as text: the slow way for keys with escapes. */
  findText(key: string): number {
    return this.names.indexOf(key)
  }
}
