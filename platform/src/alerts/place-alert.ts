import type { AlertChange, AlertRecord } from '../objects/index.ts'
import { placeInEpisode } from './episode.ts'
import { type AlertContent, alertChanges } from './new-alert.ts'

/**
 * The changes that raise an alert where its episode stands, SRV-40; none if its id is known.
 * @param history alerts of the same device
 */
export function placeAlert(
  content: AlertContent,
  history: readonly AlertRecord[],
  nowMs: number,
): readonly AlertChange[] {
  if (history.some(({ row }) => row.alert_id === content.alertId)) return []
  const evidence = {
    severity: content.severity,
    dominant: content.contributors[0] ?? null,
    modelIds: content.modelIds,
  }
  return alertChanges(content, placeInEpisode(evidence, history, nowMs), nowMs)
}
