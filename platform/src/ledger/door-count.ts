import type { NewRecord } from '../contracts/index.ts'

const hourMs = 3_600_000

/** Messages of a device received in an hour of the epoch. */
export type DoorCount = { readonly deviceId: string; readonly hour: number; count: number }

/** Hour of the epoch of an instant in ms. */
export function hourOf(atMs: number): number {
  return Math.floor(atMs / hourMs)
}

/** History and replays have no door of their own here: they were counted when they first came. */
export function isCounted({ protocol }: Pick<NewRecord, 'protocol'>): boolean {
  return protocol !== 'import' && protocol !== 'replay'
}

/** Counts of the records that became durable since they were taken last: one entry a device. */
export class DoorCounter {
  #current = new Map<string, DoorCount>()
  #earlier: DoorCount[] = []

  get size(): number {
    return this.#current.size + this.#earlier.length
  }

  add(records: readonly NewRecord[]): void {
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      if (!isCounted(record)) continue
      const { deviceId } = record
      const hour = hourOf(record.ingestedAtMs)
      const known = this.#current.get(deviceId)
      if (known !== undefined && known.hour === hour) {
        known.count++
        continue
      }
      if (known !== undefined) this.#earlier.push(known)
      this.#current.set(deviceId, { deviceId, hour, count: 1 })
    }
  }

  take(): readonly DoorCount[] {
    const taken = [...this.#earlier, ...this.#current.values()]
    this.#earlier = []
    this.#current = new Map()
    return taken
  }

  /** What was taken and could not be written; one entry a device and hour, however often. */
  putBack(counts: readonly DoorCount[]): void {
    const sums = new Map<string, DoorCount>()
    for (const list of [this.#earlier, counts]) {
      for (const { deviceId, hour, count } of list) {
        const key = `${hour} ${deviceId}`
        const sum = sums.get(key)
        if (sum === undefined) sums.set(key, { deviceId, hour, count })
        else sum.count += count
      }
    }
    this.#earlier = [...sums.values()]
  }
}
