import { randomUUID } from 'node:crypto'

/** What a table takes from its surroundings: the time and fresh names. Tests pass their own. */
export interface Host {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly nowMs: () => number
  /** A name never given before, in the form of an RFC 9562 UUID. */
  readonly uuid: () => string
}

/** The machine's clock and random source. */
export const systemHost: Host = { nowMs: () => Date.now(), uuid: () => randomUUID() }
