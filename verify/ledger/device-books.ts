import { message } from '../devices.ts'

/** A message as the client sees it, until it has been answered. */
export type Sent = { readonly body: string; readonly reason: string | undefined }

/** Between them stands what the gateway can have received. */
export type Range = { readonly least: number; readonly most: number }

const badShare = 0.02
const repeatShare = 0.04

/** What one device knows of its own messages: nothing here comes from the server's books. */
export class DeviceBooks {
  readonly deviceId: string
  readonly #startMs: number
  readonly #again: Sent[] = []
  #n = 0
  /** An old message, to be sent again although it was answered. */
  #old: Sent | undefined
  /** Good messages, each counted once. All of them are sent until they are answered. */
  distinctCount = 0
  /** Attempts at good messages, then at bad ones by reason. */
  readonly #answered = new Map<string, number>()
  readonly #unknown = new Map<string, number>()
  turnedAway = 0

  constructor(deviceId: string, startMs: number) {
    this.deviceId = deviceId
    this.#startMs = startMs
  }

  get madeCount(): number {
    return this.#n
  }

  get waitingCount(): number {
    return this.#again.length
  }

  /** The next message: one that was not answered, a deliberate repeat, or a new one. */
  next(mayMake: boolean): Sent | undefined {
    const again = this.#again.shift()
    if (again !== undefined) return again
    if (!mayMake) return undefined
    this.#n++
    const old = this.#old
    if (old !== undefined && Math.random() < repeatShare) return old
    const timeMs = this.#startMs + this.#n
    const body = message(this.deviceId, timeMs, this.#n)
    if (Math.random() < badShare) return badMessage(this.deviceId, body, this.#n)
    this.distinctCount++
    return { body, reason: undefined }
  }

  answered(sent: Sent): void {
    count(this.#answered, sent.reason ?? '')
    if (sent.reason === undefined) this.#old = sent
  }

  /** No answer came: it may have been stored or not. */
  lost(sent: Sent): void {
    count(this.#unknown, sent.reason ?? '')
    this.#again.push(sent)
  }

  /** Answered 429. */
  refused(sent: Sent): void {
    this.turnedAway++
    this.#again.push(sent)
  }

  attempts(reason: string): Range {
    const least = this.#answered.get(reason) ?? 0
    return { least, most: least + (this.#unknown.get(reason) ?? 0) }
  }

  get reasons(): readonly string[] {
    return [...new Set([...this.#answered.keys(), ...this.#unknown.keys()])].filter(
      (reason) => reason !== '',
    )
  }

  get unknownCount(): number {
    return [...this.#unknown.values()].reduce((sum, n) => sum + n, 0)
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Messages that name their device and still cannot be read, with the reason ING-23 gives. */
function badMessage(deviceId: string, good: string, n: number): Sent {
  switch (n % 3) {
    case 0:
      return {
        body: JSON.stringify({ device_id: deviceId, readings: { humidity: n } }),
        reason: 'MISSING_REQUIRED_FIELD',
      }
    case 1:
      return {
        body: good.replace(/"humidity":[\d.]+/, '"humidity":"wet"'),
        reason: 'TYPE_MISMATCH',
      }
    default:
      return {
        body: good.replace(/"timestamp":"[^"]+"/, '"timestamp":"yesterday"'),
        reason: 'INVALID_TIMESTAMP',
      }
  }
}
