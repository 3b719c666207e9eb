import { type LedgerStore, type Sums, wholeFleet } from './ledger-store.ts'

/** Fleet sums are added once per hour, not once per device. */
export class FleetSums {
  readonly #hours = new Map<number, Record<keyof Sums, number>>()
  readonly #reasons = new Map<string, { hour: number; reason: string; count: number }>()

  add(hour: number, term: keyof Sums, count: number): void {
    let sums = this.#hours.get(hour)
    if (sums === undefined) {
      sums = { received: 0, recovered: 0, stored: 0, duplicate: 0, rejected: 0 }
      this.#hours.set(hour, sums)
    }
    sums[term] += count
  }

  addReason(hour: number, reason: string, count: number): void {
    const key = `${hour} ${reason}`
    const known = this.#reasons.get(key)
    if (known === undefined) this.#reasons.set(key, { hour, reason, count })
    else known.count += count
  }

  writeTo(store: LedgerStore): void {
    for (const [hour, sums] of this.#hours) store.addEntry(hour, wholeFleet, sums)
    for (const { hour, reason, count } of this.#reasons.values()) {
      store.addRejection(hour, wholeFleet, reason, count)
    }
  }
}
