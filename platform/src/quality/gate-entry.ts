import type { GateSeverity } from './expectation.ts'

/** Which part of the fleet: a site with one firmware; both absent means all of it. */
export type GateScope = { readonly siteId?: string; readonly firmware?: string }

/**
 * What stands still behind a failed gate: rows of the slice wait in quarantine, its devices are left
 * out of scoring, or nothing.
 */
export type GateHold = 'nothing' | 'scoring' | 'rows'

/** What a judgement of one expectation over one slice said. */
export type GateResult = {
  readonly gateId: string
  readonly table: string
  readonly severity: GateSeverity
  readonly scope: GateScope
  readonly isPassed: boolean
  readonly holds: GateHold
  /** Share of rows at fault and the largest share allowed. */
  readonly value: number
  readonly limit: number
  readonly rowCount: number
  /** What was found, in words, where a number does not say it. */
  readonly detail?: string
}

/** What a person may decide about rows that wait behind a gate. */
export const gateDecisions = ['retry', 'release', 'discard'] as const
/** `retry` judges again, `release` takes the rows as they are, `discard` leaves them out. */
export type GateDecision = (typeof gateDecisions)[number]

/** Something a gate found that a person should see, from the first failure until it is over. */
export type GateEntry = {
  readonly entryId: string
  readonly gateId: string
  readonly table: string
  readonly severity: GateSeverity
  readonly scope: GateScope
  readonly status: 'open' | 'cleared'
  readonly holds: GateHold
  readonly openedAtMs: number
  readonly lastFailedAtMs: number
  readonly failureCount: number
  readonly value: number
  readonly limit: number
  readonly rowCount: number
  readonly detail?: string
  /** What a person decided and the next run of the pipeline carries out. */
  readonly decision?: { readonly kind: GateDecision; readonly by: string; readonly note: string }
  readonly clearedAtMs?: number
  /** `self` when the gate passed again. */
  readonly clearedBy?: string
  readonly note?: string
}

/** Who decides, for the audit log. */
export type GateActor = { readonly id: string; readonly role: string }

/** Entries of gates, kept with every change in the audit log; the state store implements it. */
export type GateLedger = {
  /** Opens entries for failures, or counts on; closes entries of passed gates that hold nothing. */
  readonly record: (results: readonly GateResult[]) => Promise<void>
  /** Newest first. */
  readonly list: (filter?: {
    readonly status?: GateEntry['status']
    readonly limit?: number
  }) => Promise<readonly GateEntry[]>
  /** @throws IsothermError NOT_FOUND */
  readonly entry: (entryId: string) => Promise<GateEntry>
  /**
   * Notes a decision for the next run; on an entry behind which nothing waits it closes it.
   * @throws IsothermError NOT_FOUND, CONFLICT when it is closed already
   */
  readonly decide: (
    entryId: string,
    decision: GateDecision,
    by: GateActor,
    note: string,
  ) => Promise<GateEntry>
  /** Closes an entry whose rows have gone on or were given up. */
  readonly clear: (entryId: string, by: GateActor, note: string) => Promise<void>
  /** Writes into the audit log that somebody changed an expectation. */
  readonly changed: (
    gateId: string,
    before: Readonly<Record<string, unknown>>,
    after: Readonly<Record<string, unknown>>,
    by: GateActor,
  ) => Promise<void>
  /** Notes how many rows still wait; `tried` is the decision carried out, a newer one stays. */
  readonly waits: (entryId: string, rowCount: number, tried: GateEntry['decision']) => Promise<void>
}

/** The key of an entry: one open entry per gate and slice. */
export function gateKey(gateId: string, { siteId, firmware }: GateScope): string {
  return JSON.stringify([gateId, siteId ?? null, firmware ?? null])
}
