import type { LedgerView } from 'isotherm/http'
import { countText, plural } from './number-text.ts'

/** Sums of the ledger, of the fleet, a unit or an hour. */
export type LedgerSums = LedgerView['total']

/** Reasons of what was rejected, the most frequent first. */
export function reasonLines(
  sums: LedgerSums,
): readonly { readonly reason: string; readonly count: number }[] {
  return Object.entries(sums.reasons)
    .map(([reason, count]) => ({ reason, count }))
    .toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
}

/** What the equation says, in a sentence. */
export function ledgerSentence(view: LedgerView): string {
  const { difference } = view.total
  const open = view.unbalanced_count
  if (view.as_of === null)
    return 'The log has not been counted yet. The server does it once a minute.'
  if (difference === 0 && open === 0) return 'The books balance: every message is accounted for.'
  const where = `${plural(open, 'hour of a unit', 'hours of units')} ${open === 1 ? 'does' : 'do'} not balance.`
  if (difference === 0) return where
  const what =
    difference > 0
      ? `${plural(difference, 'message')} came in and cannot be found.`
      : `${plural(-difference, 'message')} more than came in.`
  return `${what} ${where}`
}

/** What a crash means for the counts; empty without one. */
export function recoveredSentence({ recovered }: LedgerSums): string {
  return recovered === 0
    ? ''
    : `${countText(recovered)} of them were counted from the log after a crash: for these the door's own count is gone.`
}

/** Hour of a line in UTC, for example `21 Nov 08:00`. */
export function hourText(start: string): string {
  const date = new Date(start)
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
  return `${day} ${start.slice(11, 16)}`
}
