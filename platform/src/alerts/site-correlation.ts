import type { FleetDefinition } from '../contracts/index.ts'
import type { AlertChange, AlertRecord, AlertRow } from '../objects/index.ts'
import type { FeatureIndex } from './describe-alert.ts'

const minuteMs = 60_000

/** Alerts of one site within this time may have one cause, SRV-44. */
export const correlateWithinMs = 30 * minuteMs
const minDevices = 3
const minSiteShare = 0.2

/** Sensor group of an alert's dominant contributor, a feature or a sensor. */
export function alertGroup(
  fleet: FleetDefinition,
  features: FeatureIndex,
  row: AlertRow,
): string | undefined {
  const contributor = row.top_contributors?.[0]
  if (contributor === undefined) return undefined
  return (
    features.get(contributor)?.group ??
    fleet.sensors.find(({ name }) => name === contributor)?.group
  )
}

/**
 * Names the alerts of a site to each other when at least three devices, and a fifth of the site,
 * have one in the same sensor group within half an hour (SRV-44).
 * @param recent unsuppressed alerts of the last half hour, those just decided included
 */
export function correlateSites(options: {
  readonly fleet: FleetDefinition
  readonly features: FeatureIndex
  readonly recent: readonly AlertRecord[]
  readonly siteDeviceCount: (siteId: string) => number
}): readonly AlertChange[] {
  const { fleet, features, recent, siteDeviceCount } = options
  const bySiteAndGroup = Map.groupBy(
    recent.filter(({ row }) => !row.suppressed),
    ({ row }) => `${row.site_id}\n${alertGroup(fleet, features, row) ?? ''}`,
  )
  return [...bySiteAndGroup].flatMap(([key, records]) => {
    const [siteId = '', group = ''] = key.split('\n')
    const devices = new Set(records.map(({ row }) => row.device_id)).size
    const needed = Math.max(minDevices, minSiteShare * siteDeviceCount(siteId))
    if (group === '' || devices < needed) return []
    const ids = records.map(({ row }) => row.alert_id).toSorted()
    return records.map(({ row }) => ({
      kind: 'correlate' as const,
      alertId: row.alert_id,
      alertIds: ids.filter((id) => id !== row.alert_id),
    }))
  })
}
