import type { HistoryEntry } from 'isotherm/http'
import { clockText } from './time-text.ts'

/** One step in an alert's life, for people. */
export type HistoryLine = {
  readonly key: string
  readonly when: string
  readonly who: string
  readonly what: string
  readonly note: string
  readonly isRefused: boolean
}

const words: Readonly<Record<string, string>> = {
  AcknowledgeAlert: 'acknowledged',
  AssignAlert: 'assigned',
  StartWork: 'started work',
  ResolveAlert: 'resolved',
  MarkFalsePositive: 'marked as false positive',
  ConfirmAnomaly: 'confirmed as unusual',
  ReopenAlert: 'opened again',
  EscalateAlert: 'escalated',
  BreachSla: 'deadline passed',
  SoftenAlert: 'softened: scores are as usual again',
  SelfClearAlert: 'the unusual behaviour ended',
  SupersedeAlert: 'a newer alert took over',
}

const results: Readonly<Record<string, string>> = {
  denied: 'not allowed',
  invalid: 'not possible',
  conflict: 'somebody was faster',
}

/** `AcknowledgeAlert` as words when it is none of the known ones. */
function splitWords(action: string): string {
  return action
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .trim()
}

/** Prepares an audit entry for the history of an alert. */
export function historyLine(entry: HistoryEntry): HistoryLine {
  const refused = results[entry.result]
  const what = words[entry.action] ?? splitWords(entry.action)
  const notes = ['resolution_notes', 'reason', 'notes', 'note']
    .map((name) => entry.parameters[name])
    .find((value) => typeof value === 'string')
  return {
    key: entry.audit_id,
    when: clockText(Date.parse(entry.at)),
    who: entry.actor_role === 'service' ? 'Isotherm' : entry.actor_id,
    what: refused === undefined ? what : `${what} (${refused})`,
    note: refused === undefined ? String(notes ?? '') : (entry.reason ?? ''),
    isRefused: refused !== undefined,
  }
}
