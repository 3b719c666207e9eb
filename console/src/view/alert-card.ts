import type { AlertActionPath, AlertView } from 'isotherm/http'
import { type ContributorLine, contributorLine } from './contributor-line.ts'
import { plural, scoreText } from './number-text.ts'
import { type Countdown, clockText, countdown, durationText } from './time-text.ts'

/** An alert prepared for its card. */
export type AlertCard = {
  readonly alertId: string
  readonly deviceId: string
  readonly version: number
  readonly severity: AlertView['severity']
  readonly severityWord: string
  readonly title: string
  readonly place: string
  readonly lines: readonly ContributorLine[]
  /** The sentence to show when there are no lines, and on the open card. */
  readonly description: string
  /** `2 models agree · score 0.93 · low confidence`. */
  readonly evidence: string
  readonly since: string
  readonly sinceTitle: string
  readonly statusWord: string
  readonly countdown: Countdown
  readonly isSuppressed: boolean
  readonly isClosed: boolean
  readonly actions: readonly AlertActionPath[]
  readonly escalation: string
}

/** Reasons shown on a card; the rest is on the device page. */
const shownLineCount = 3

const severityWords: Readonly<Record<AlertView['severity'], string>> = {
  CRITICAL: 'Critical',
  HIGH: 'High',
  MEDIUM: 'Medium',
  LOW: 'Low',
}

const statusWords: Readonly<Record<AlertView['status'], string>> = {
  OPEN: 'Open',
  ACKNOWLEDGED: 'Acknowledged',
  IN_PROGRESS: 'In work',
  RESOLVED: 'Resolved',
  FALSE_POSITIVE: 'False positive',
}

/** Order of the buttons: the next step first. Assigning and escalating belong to other pages. */
const buttonOrder: readonly AlertActionPath[] = [
  'acknowledge',
  'start',
  'resolve',
  'false-positive',
  'confirm',
  'reopen',
]

const sources: Readonly<Record<string, string>> = {
  streaming_rules: 'live rule',
  rules_fallback: 'fallback rule',
  offline_rule: 'silence',
}

/** True once nothing more is to be done. */
export function isClosed(status: AlertView['status']): boolean {
  return status === 'RESOLVED' || status === 'FALSE_POSITIVE'
}

function evidenceText(alert: AlertView): string {
  const rule = sources[alert.model_id]
  const count = Math.max(1, alert.contributing_model_ids.length)
  return [
    rule ?? (count === 1 ? 'one model' : `${plural(count, 'model')} agree`),
    alert.anomaly_score === null ? '' : `score ${scoreText(alert.anomaly_score)}`,
    alert.confidence === 'low' ? 'low confidence: sensors were missing' : '',
    (alert.breach_count ?? 0) > 1 ? `seen ${alert.breach_count} times` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ')
}

/** Prepares an alert for its card. */
export function alertCard(alert: AlertView, nowMs: number): AlertCard {
  const startMs = Date.parse(alert.first_detected_at)
  const site = alert.site_name ?? alert.site_id
  return {
    alertId: alert.alert_id,
    deviceId: alert.device_id,
    version: alert.version,
    severity: alert.severity,
    severityWord: severityWords[alert.severity],
    title: alert.title,
    place: alert.device_model === null ? site : `${site} · ${alert.device_model}`,
    lines: alert.contributors
      .map(contributorLine)
      .filter((line) => line.value !== '')
      .slice(0, shownLineCount),
    description: alert.description,
    evidence: evidenceText(alert),
    since: `for ${durationText(nowMs - startMs)}`,
    sinceTitle: `since ${clockText(startMs)}`,
    statusWord: statusWords[alert.status],
    countdown: countdown(alert, nowMs),
    isSuppressed: alert.suppressed,
    isClosed: isClosed(alert.status),
    actions: buttonOrder.filter((action) => alert.allowed_actions.includes(action)),
    escalation: alert.escalation_level === 'L1' ? '' : `escalated to ${alert.escalation_level}`,
  }
}
