import type { Overview } from 'isotherm/http'
import { plural } from './number-text.ts'
import type { FleetFilters } from './route.ts'

/** Health of a device. */
export type Health = Overview['health_statuses'][number]

/** Health states from worst to best, with the word and the shape that stand for them. */
export const healthStates: readonly {
  readonly health: Health
  readonly word: string
  readonly meaning: string
}[] = [
  { health: 'critical', word: 'Critical', meaning: 'has a high or critical alert' },
  { health: 'warning', word: 'Warning', meaning: 'has an alert or an unusual score' },
  { health: 'offline', word: 'Offline', meaning: 'silent for more than 15 minutes' },
  { health: 'healthy', word: 'Healthy', meaning: 'behaves as usual' },
]

/** One device of the overview. */
export type FleetRow = {
  readonly deviceId: string
  readonly siteId: string
  readonly siteName: string
  readonly model: string
  readonly health: Health
  readonly score: number | null
  readonly trend: number | null
  readonly openAlertCount: number
}

const healthRank = new Map(healthStates.map(({ health }, index) => [health, index]))

/** Rows of a columnar overview, worst first, then by score, then by id. */
export function fleetRows(overview: Overview): readonly FleetRow[] {
  const rows = overview.device_id.map((deviceId, index): FleetRow => {
    const site = overview.sites[overview.site[index] ?? -1]
    return {
      deviceId,
      siteId: site?.site_id ?? '',
      siteName: site?.site_name ?? site?.site_id ?? '',
      model: overview.models[overview.model[index] ?? -1] ?? '',
      health: overview.health_statuses[overview.health[index] ?? -1] ?? 'offline',
      score: overview.score[index] ?? null,
      trend: overview.trend[index] ?? null,
      openAlertCount: overview.open_alert_count[index] ?? 0,
    }
  })
  return rows.toSorted(
    (a, b) =>
      (healthRank.get(a.health) ?? 0) - (healthRank.get(b.health) ?? 0) ||
      (b.score ?? -1) - (a.score ?? -1) ||
      (a.deviceId < b.deviceId ? -1 : 1),
  )
}

/** Devices that match the filters; the search finds parts of id, site name and model. */
export function filterRows(rows: readonly FleetRow[], filters: FleetFilters): readonly FleetRow[] {
  const wanted = filters.search.trim().toLowerCase()
  return rows.filter(
    (row) =>
      (filters.health.length === 0 || filters.health.includes(row.health)) &&
      (filters.site === '' || row.siteId === filters.site) &&
      (filters.model === '' || row.model === filters.model) &&
      (wanted === '' ||
        row.deviceId.toLowerCase().includes(wanted) ||
        row.siteName.toLowerCase().includes(wanted) ||
        row.model.toLowerCase().includes(wanted)),
  )
}

/** How many devices are in each state. */
export function healthCounts(rows: readonly FleetRow[]): Readonly<Record<Health, number>> {
  const counts = { critical: 0, warning: 0, offline: 0, healthy: 0 }
  for (const { health } of rows) counts[health] += 1
  return counts
}

/** The fleet in one sentence, for the page head and for screen readers. */
export function fleetSentence(rows: readonly FleetRow[], noun: string): string {
  const counts = healthCounts(rows)
  const parts = healthStates
    .filter(({ health }) => health !== 'healthy' && counts[health] > 0)
    .map(({ health, word }) => `${counts[health]} ${word.toLowerCase()}`)
  const all = plural(rows.length, noun)
  return parts.length === 0 ? `${all}, all behave as usual` : `${all}, ${parts.join(', ')}`
}

/** A site in the ranking: those with most units in alert first, then the higher mean score. */
export type RankedSite = {
  readonly siteId: string
  readonly name: string
  readonly deviceCount: number
  readonly inAlert: number
  /** Share of the site's units in alert, 0 to 1. */
  readonly share: number
  readonly meanScore: number | null
}

/** Sites that have units in alert, in the order of concern. */
export function rankedSites(overview: Overview): readonly RankedSite[] {
  return overview.sites
    .filter((site) => site.devices_in_alert > 0)
    .toSorted(
      (a, b) =>
        b.devices_in_alert - a.devices_in_alert ||
        (b.avg_anomaly_score ?? 0) - (a.avg_anomaly_score ?? 0) ||
        (a.site_id < b.site_id ? -1 : 1),
    )
    .map((site) => ({
      siteId: site.site_id,
      name: site.site_name ?? site.site_id,
      deviceCount: site.device_count,
      inAlert: site.devices_in_alert,
      share: site.device_count === 0 ? 0 : site.devices_in_alert / site.device_count,
      meanScore: site.avg_anomaly_score,
    }))
}

/** `rising`, `falling`, `steady` for a trend; empty when unknown. */
export function trendWord(trend: number | null): string {
  if (trend === null) return ''
  return trend > 0 ? 'rising' : trend < 0 ? 'falling' : 'steady'
}
