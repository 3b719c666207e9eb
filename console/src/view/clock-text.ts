import type { DeviceClockView } from 'isotherm/http'

/** Offsets below this are the way of a message rather than the clock. */
const rightWithinS = 5

function spanText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} days`
}

/** What is known of a unit's clock, in a sentence. */
export function clockSentence(clock: DeviceClockView): string {
  const { offset_seconds: offset, drift_ppm: drift, suspect_zone_minutes: zone } = clock
  if (offset === null) return 'Clock: no message since the server started'
  const off = Math.abs(offset)
  const where =
    off <= rightWithinS
      ? 'Clock: right'
      : `Clock: ${spanText(off)} ${offset > 0 ? 'ahead' : 'behind'}`
  const zoneText =
    zone === null
      ? ''
      : `, as if in a time zone ${Math.abs(zone) / 60} h ${zone > 0 ? 'ahead' : 'behind'}`
  const daily = drift === null ? 0 : (Math.abs(drift) * 86_400) / 1e6
  const driftText =
    daily < 5 ? '' : `, ${drift !== null && drift > 0 ? 'gains' : 'loses'} ${spanText(daily)} a day`
  return `${where}${zoneText}${driftText}`
}

/** Whether somebody should look at the clock. */
export function isClockWrong(clock: DeviceClockView): boolean {
  const { offset_seconds: offset, suspect_zone_minutes: zone } = clock
  return zone !== null || (offset !== null && Math.abs(offset) > rightWithinS)
}
