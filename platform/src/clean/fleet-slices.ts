import type { DeviceRow } from '../contracts/index.ts'

/** A part of the fleet that gates judge as a whole: the devices of a site with one firmware. */
export type Slice = {
  readonly siteId: string
  /** Empty when the registry does not say. */
  readonly firmware: string
  /** Devices of the slice in the registry. */
  readonly deviceCount: number
}

type Sliced = Pick<DeviceRow, 'site_id' | 'firmware_version' | 'device_id'>

/** The name of a slice as entries and reports know it. */
export function sliceKey({ siteId, firmware }: Pick<Slice, 'siteId' | 'firmware'>): string {
  return `${siteId} / ${firmware === '' ? 'no firmware' : firmware}`
}

/** The slices of a fleet in the order they first appear, and the number of each device's own. */
export function createSlices(devices: readonly Sliced[]): {
  readonly slices: readonly Slice[]
  readonly indexOf: (device: Sliced) => number
} {
  const indexes = new Map<string, number>()
  const members: { siteId: string; firmware: string; ids: Set<string> }[] = []
  const keyOf = ({ site_id, firmware_version }: Sliced) =>
    sliceKey({ siteId: site_id, firmware: firmware_version ?? '' })
  for (const device of devices) {
    const key = keyOf(device)
    let index = indexes.get(key)
    if (index === undefined) {
      index = members.length
      indexes.set(key, index)
      const firmware = device.firmware_version ?? ''
      members.push({ siteId: device.site_id, firmware, ids: new Set() })
    }
    members[index]?.ids.add(device.device_id)
  }
  return {
    slices: members.map(({ ids, ...slice }) => ({ ...slice, deviceCount: ids.size })),
    indexOf: (device) => indexes.get(keyOf(device)) ?? -1,
  }
}
