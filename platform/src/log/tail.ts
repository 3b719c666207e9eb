import type { NewRecord } from '../contracts/index.ts'
import type { Batch } from './batch.ts'

/** Bytes of records kept in memory for followers that are nearly up to date. */
const maxTailBytes = 8 << 20

type TailPart = {
  readonly firstOffset: number
  readonly records: readonly NewRecord[]
  readonly sizeBytes: number
}

/** The newest committed records in memory, only while somebody follows; the rest is in files. */
export class Tail {
  #parts: TailPart[] = []
  #sizeBytes = 0
  #followerCount = 0
  readonly #sleepers = new Set<() => void>()

  get isFollowed(): boolean {
    return this.#followerCount > 0
  }

  follow(): void {
    this.#followerCount++
  }

  unfollow(): void {
    this.#followerCount--
    if (this.#followerCount === 0) {
      this.#parts = []
      this.#sizeBytes = 0
    }
  }

  /** Takes a committed batch, unless following began in its middle: files serve that one. */
  push(firstOffset: number, { records, recordCount, sizeBytes }: Batch): void {
    if (this.isFollowed && records.length === recordCount) {
      this.#parts.push({ firstOffset, records, sizeBytes })
      this.#sizeBytes += sizeBytes
      while (this.#sizeBytes > maxTailBytes) this.#sizeBytes -= this.#parts.shift()?.sizeBytes ?? 0
    }
    this.wake()
  }

  /** Records from exactly this offset on, or undefined if memory does not begin there or before. */
  from(offset: number): readonly NewRecord[] | undefined {
    for (const { firstOffset, records } of this.#parts) {
      if (offset < firstOffset) return undefined
      if (offset < firstOffset + records.length) return records.slice(offset - firstOffset)
    }
    return undefined
  }

  /** Resolves at the next commit or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.#sleepers.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#sleepers.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  wake(): void {
    for (const sleeper of [...this.#sleepers]) sleeper()
  }
}
