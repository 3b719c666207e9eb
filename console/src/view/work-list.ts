import type { AlertView } from 'isotherm/http'
import { type AlertCard, alertCard, isClosed } from './alert-card.ts'
import { plural } from './number-text.ts'
import type { WorkFilters } from './route.ts'

/** Alerts that belong together, or one alone. */
export type WorkGroup = {
  readonly key: string
  /** Empty for a single alert. */
  readonly heading: string
  readonly cards: readonly AlertCard[]
}

/** The work list prepared for its page. */
export type WorkList = {
  readonly groups: readonly WorkGroup[]
  /** Alert ids in the order the keyboard walks them. */
  readonly order: readonly string[]
  /** `4 to act on, 1 overdue`. */
  readonly summary: string
  readonly sites: readonly { readonly siteId: string; readonly name: string }[]
}

const severityRank: Readonly<Record<AlertView['severity'], number>> = {
  CRITICAL: 0,
  HIGH: 1,
  MEDIUM: 2,
  LOW: 3,
}

/** The order to act: severity, then deadline, then score, then the older alert. */
export function compareUrgency(a: AlertView, b: AlertView): number {
  return (
    Number(isClosed(a.status)) - Number(isClosed(b.status)) ||
    Number(a.suppressed) - Number(b.suppressed) ||
    severityRank[a.severity] - severityRank[b.severity] ||
    Date.parse(a.sla_deadline) - Date.parse(b.sla_deadline) ||
    (b.anomaly_score ?? 1) - (a.anomaly_score ?? 1) ||
    (a.alert_id < b.alert_id ? -1 : 1)
  )
}

/** The smallest correlated set that is shown as one, SRV-44. */
const smallestGroup = 3

function matches(alert: AlertView, filters: WorkFilters): boolean {
  return (
    (filters.severity.length === 0 || filters.severity.includes(alert.severity)) &&
    (filters.site === '' || alert.site_id === filters.site) &&
    (filters.isSuppressedShown || !alert.suppressed)
  )
}

/** Members of each alert's correlated set that are on the list, the alert itself first. */
function correlated(alert: AlertView, byId: ReadonlyMap<string, AlertView>): readonly AlertView[] {
  const others = alert.correlated_alert_ids.flatMap((id) => {
    const other = byId.get(id)
    return other === undefined || id === alert.alert_id ? [] : [other]
  })
  return [alert, ...others.toSorted(compareUrgency)]
}

function groupsOf(alerts: readonly AlertView[], nowMs: number): readonly WorkGroup[] {
  const byId = new Map(alerts.map((alert) => [alert.alert_id, alert]))
  const placed = new Set<string>()
  const groups: WorkGroup[] = []
  for (const alert of alerts) {
    if (placed.has(alert.alert_id)) continue
    const members = correlated(alert, byId).filter(({ alert_id: id }) => !placed.has(id))
    const together = members.length >= smallestGroup ? members : [alert]
    for (const member of together) placed.add(member.alert_id)
    const site = alert.site_name ?? alert.site_id
    groups.push({
      key: alert.alert_id,
      heading:
        together.length === 1 ? '' : `${together.length} units at ${site} show this together`,
      cards: together.map((member) => alertCard(member, nowMs)),
    })
  }
  return groups
}

function summaryOf(cards: readonly AlertCard[]): string {
  const open = cards.filter((card) => !card.isClosed && !card.isSuppressed)
  if (open.length === 0) return 'Nothing to act on'
  const overdue = open.filter((card) => card.countdown.urgency === 'overdue').length
  const units = new Set(open.map(({ deviceId }) => deviceId)).size
  const act = `${plural(open.length, 'alert')} on ${plural(units, 'unit')}`
  return overdue === 0 ? act : `${act}, ${overdue} overdue`
}

/** Filters, orders and groups alerts for the page. */
export function workList(
  alerts: readonly AlertView[],
  filters: WorkFilters,
  nowMs: number,
): WorkList {
  const shown = alerts.filter((alert) => matches(alert, filters)).toSorted(compareUrgency)
  const groups = groupsOf(shown, nowMs)
  const cards = groups.flatMap((group) => group.cards)
  const sites = new Map(alerts.map((alert) => [alert.site_id, alert.site_name ?? alert.site_id]))
  return {
    groups,
    order: cards.map(({ alertId }) => alertId),
    summary: summaryOf(cards),
    sites: [...sites]
      .map(([siteId, name]) => ({ siteId, name }))
      .toSorted((a, b) => a.name.localeCompare(b.name)),
  }
}

/** The next alert when the keyboard moves by `step`; stays at the ends. */
export function moveFocus(order: readonly string[], current: string, step: 1 | -1): string {
  const index = order.indexOf(current)
  if (index === -1) return (step === 1 ? order[0] : order.at(-1)) ?? ''
  return order[Math.min(Math.max(index + step, 0), order.length - 1)] ?? ''
}
