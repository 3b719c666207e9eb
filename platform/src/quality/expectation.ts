import type { FleetDefinition } from '../contracts/index.ts'

/** What a failed expectation does, CON-2: stop its slice, set rows aside, or tell. */
export type GateSeverity = 'FAIL' | 'ROW' | 'WARN'

/** Where an expectation is judged. */
export type JudgedBy =
  /** By SQL over new rows of its table, per slice. */
  | { readonly kind: 'rows'; readonly fault: (fleet: FleetDefinition) => string }
  /** By comparing a slice with its own past; see `history-checks.ts`. */
  | { readonly kind: 'history' }
  /** By the job that writes the table: it refuses the commit, the row or the write. */
  | { readonly kind: 'writer'; readonly writer: string }

/** One line of CON-41 as data. */
export type Expectation = {
  readonly id: string
  /** Contract number: `C1` to `C7`. */
  readonly contract: string
  readonly table: string
  /** The check in words. */
  readonly check: string
  readonly severity: GateSeverity
  readonly judgedBy: JudgedBy
  /** Largest share of rows at fault; more fails. Default 0. */
  readonly limit?: number
  /** Rows a slice needs before a share means something. Default 1. */
  readonly minRows?: number
  /** What a gate before the clean table holds back; absent: it holds nothing back. */
  readonly hold?: {
    /** SQL test of a row at fault over the view `judged` of cleansing. */
    readonly fault: (fleet: FleetDefinition) => string
    /** Share of rows at fault above which the slice waits. */
    readonly limit: number
    /** Slices of fewer devices never wait: one broken unit must not silence its site. Default 1. */
    readonly minDevices?: number
  }
}

/** What an owner changed about an expectation; kept by id in the settings. */
export type GateChange = {
  readonly severity?: GateSeverity
  readonly limit?: number
  /** Share above which the slice waits, or null: it never waits. */
  readonly holdLimit?: number | null
}

/** Changes of a deployment, by expectation id. */
export type GateChanges = Readonly<Record<string, GateChange>>
