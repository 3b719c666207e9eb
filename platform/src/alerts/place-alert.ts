import type { AlertChange, AlertRecord } from '../objects/index.ts'
import { type Placement, placeInEpisode } from './episode.ts'
import { type AlertContent, alertChanges } from './new-alert.ts'

/**
 * The changes that raise an alert where its episode stands, SRV-40; none if its id is known.
 * @param history alerts of the same device
 * @param covering an active alert that tells of the same fault already: this one is for audit only
 */
export function placeAlert(
  content: AlertContent,
  history: readonly AlertRecord[],
  nowMs: number,
  covering?: AlertRecord,
): readonly AlertChange[] {
  if (history.some(({ row }) => row.alert_id === content.alertId)) return []
  const evidence = {
    severity: content.severity,
    dominant: content.contributors[0] ?? null,
    modelIds: content.modelIds,
  }
  const placement: Placement =
    covering === undefined
      ? placeInEpisode(evidence, history, nowMs)
      : { kind: 'suppressed', anchor: covering }
  return alertChanges(content, placement, nowMs)
}
