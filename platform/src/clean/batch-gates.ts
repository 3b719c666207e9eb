import type { Slice } from './fleet-slices.ts'

/** What gates see of one slice in a batch: its rows that would become clean, and the figures. */
export type SliceFigures = {
  readonly slice: Slice
  readonly rowCount: number
  readonly figures: Readonly<Record<string, number>>
}

/** A slice that a gate holds back, with the reason in numbers. */
export type HeldSlice = {
  readonly slice: Slice
  readonly gateId: string
  /** Share of rows at fault, and the share above which the gate closes. */
  readonly value: number
  readonly limit: number
  readonly rowCount: number
}

/**
 * Gates before the clean table. What they hold back goes to quarantine with reason `GATE_FAILED`
 * and is cleansed again from landing once the gate opens; all other slices go on.
 */
export type BatchGates = {
  /** SQL aggregates over the view `judged`, by name; `rowCount` helps to choose a sample. */
  readonly figures: (batch: { readonly rowCount: number }) => Readonly<Record<string, string>>
  readonly judge: (slices: readonly SliceFigures[]) => readonly HeldSlice[]
  /** Called with what is held before the batch is committed, so that no row waits unseen. */
  readonly onHeld: (held: readonly HeldSlice[]) => Promise<void>
}
