import type { Snapshot } from '@isotherm/delta'
import { timeSpan } from '../clean/index.ts'
import { IsothermError } from '../contracts/index.ts'

export const dayMs = 86_400_000

/** Days for which clean readings are kept, CON-15. */
export const cleanRetentionDays = 90

/** The UTC date of an instant. */
export function utcDate(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}

/** Days to fill, half-open, epoch ms of UTC midnights. */
export type DayRange = { readonly fromMs: number; readonly toMs: number }

function refused(range: DayRange, reason: string): IsothermError {
  const name = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : String(ms))
  return new IsothermError(
    'INPUT_INVALID',
    `backfill of [${name(range.fromMs)}, ${name(range.toMs)}) refused, nothing was done: ${reason}`,
  )
}

/**
 * Refuses a range that cannot be filled, before anything runs.
 * @param clean snapshot of the clean table
 * @param nowMs days end at or before it
 * @throws IsothermError INPUT_INVALID with the reason
 */
export function requireFillable(
  clean: Snapshot,
  range: DayRange,
  nowMs: number,
  retentionDays = cleanRetentionDays,
): void {
  const { fromMs, toMs } = range
  if (!(Number.isFinite(fromMs) && Number.isFinite(toMs))) {
    throw refused(range, 'from and to are dates such as 2026-11-21')
  }
  if (fromMs % dayMs !== 0 || toMs % dayMs !== 0) {
    throw refused(range, 'history is filled by whole UTC days; give dates without a time')
  }
  if (fromMs >= toMs) throw refused(range, 'it is empty; --to is the first day left out')
  const spans = clean.files.map((file) => timeSpan(file, 'timestamp_utc'))
  if (spans.length === 0) throw refused(range, 'there are no clean readings at all')
  // Data time, not the wall clock: a folder of imported history keeps the newest days it has.
  const newestMs = spans.reduce((newest, { maxMs }) => Math.max(newest, maxMs), 0)
  const edgeMs = Math.floor(Math.min(nowMs, newestMs) / dayMs) * dayMs - retentionDays * dayMs
  if (fromMs < edgeMs) {
    throw refused(
      range,
      `readings are kept for ${retentionDays} days, so those before ${utcDate(edgeMs)} are past ` +
        'retention and may be incomplete; begin there, import the archive again, or say how long ' +
        'this folder keeps readings',
    )
  }
  const oldestMs = spans.reduce((oldest, { minMs }) => Math.min(oldest, minMs), Infinity)
  if (fromMs < Math.floor(oldestMs / dayMs) * dayMs) {
    throw refused(range, `the first reading is of ${utcDate(oldestMs)}; begin there`)
  }
  if (toMs > nowMs) throw refused(range, `the day ${utcDate(toMs - dayMs)} is not over`)
}
