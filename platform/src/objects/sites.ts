import type { DeviceRow } from '../contracts/index.ts'

/** A place with devices, OBJ-5. */
export type SiteSummary = {
  readonly siteId: string
  readonly siteName: string
  readonly region: string
  /** Active devices. */
  readonly deviceCount: number
}

/** Sites of the current registry, by id; a site's first named row gives its name. */
export function summarizeSites(devices: readonly DeviceRow[]): readonly SiteSummary[] {
  const sites = new Map<string, { name: string | null; region: string; count: number }>()
  for (const device of devices) {
    const site = sites.get(device.site_id) ?? { name: null, region: device.region, count: 0 }
    site.name ??= device.site_name
    if (device.status === 'active') site.count += 1
    sites.set(device.site_id, site)
  }
  return [...sites]
    .map(([siteId, { name, region, count }]) => ({
      siteId,
      siteName: name ?? siteId,
      region,
      deviceCount: count,
    }))
    .toSorted((left, right) => (left.siteId < right.siteId ? -1 : 1))
}
