import type { Severity } from '../contracts/index.ts'
import { type AlertRecord, isActive, severityRank } from '../objects/index.ts'

const hourMs = 3_600_000

/** An alert that repeats within this time of the last one adds nothing new, SRV-40. */
const suppressWithinMs = 4 * hourMs
/** A verdict of false positive holds this long for the same evidence, SRV-40. */
const falsePositiveHoldsMs = 24 * hourMs

/** History of an episode older than this is not looked at. */
export const episodeHistoryMs = 7 * 24 * hourMs

/** What new evidence is, whoever found it. */
export type Evidence = {
  readonly severity: Severity
  /** Dominant contributor, part of the suppression key, SRV-41. */
  readonly dominant: string | null
  readonly modelIds: readonly string[]
}

/** What new evidence becomes, SRV-40. */
export type Placement =
  /** A new alert; `previous` is the closed alert of the episode it is correlated with. */
  | { readonly kind: 'detected'; readonly previous?: AlertRecord }
  /** A row for audit only; it belongs to `anchor`. */
  | { readonly kind: 'suppressed'; readonly anchor: AlertRecord }
  /** A successor after four hours. */
  | { readonly kind: 'sustained'; readonly predecessor: AlertRecord }
  /** A successor because it got worse. */
  | { readonly kind: 'escalated'; readonly predecessor: AlertRecord }

/** Same suppression key, SRV-41: dominant contributor and at least one family in common. */
export function isSameKey({ row }: AlertRecord, evidence: Evidence): boolean {
  return (
    (row.top_contributors?.[0] ?? null) === evidence.dominant &&
    (row.contributing_model_ids ?? [row.model_id]).some((id) => evidence.modelIds.includes(id))
  )
}

const newest = (records: readonly AlertRecord[]): AlertRecord | undefined =>
  records.reduce<AlertRecord | undefined>(
    (best, record) =>
      best === undefined || record.row.alert_created_at >= best.row.alert_created_at
        ? record
        : best,
    undefined,
  )

/**
 * Places evidence in its episode, SRV-40 and SRV-41. Only unsuppressed alerts count as anchors, and
 * of those the newest: a suppressed row can neither multiply nor prolong suppression.
 * @param history alerts of the same device
 */
export function placeInEpisode(
  evidence: Evidence,
  history: readonly AlertRecord[],
  nowMs: number,
): Placement {
  const anchors = history.filter((record) => !record.row.suppressed && isSameKey(record, evidence))
  const rank = severityRank(evidence.severity)
  const active = newest(anchors.filter(({ row }) => isActive(row)))
  if (active !== undefined) {
    if (rank > severityRank(active.row.severity)) return { kind: 'escalated', predecessor: active }
    return nowMs - active.row.alert_created_at < suppressWithinMs
      ? { kind: 'suppressed', anchor: active }
      : { kind: 'sustained', predecessor: active }
  }
  const previous = newest(anchors)
  if (previous === undefined) return { kind: 'detected' }
  const closedMs = previous.row.resolved_at ?? previous.row.alert_created_at
  const isHeldFalse =
    previous.row.status === 'FALSE_POSITIVE' &&
    nowMs - closedMs < falsePositiveHoldsMs &&
    rank <= severityRank(previous.row.severity)
  return isHeldFalse ? { kind: 'suppressed', anchor: previous } : { kind: 'detected', previous }
}
