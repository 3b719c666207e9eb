import type { DeviceRow, FleetDefinition } from '../contracts/index.ts'

/** Order of dotted versions, by number: 3.10 comes after 3.9. Text behind the number is ignored. */
function compareVersions(a: string, b: string): number {
  const parts = (version: string) =>
    version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const left = parts(a)
  const right = parts(b)
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * Sensors a device should send: its own list if it has one, else all that its firmware knows
 * (ING-51). Without a firmware version all are expected: then only reports decide, CON-8.
 */
export function expectedSensors(
  fleet: FleetDefinition,
  device: Pick<DeviceRow, 'expected_sensors' | 'firmware_version'>,
): ReadonlySet<string> {
  if (device.expected_sensors !== null) return new Set(device.expected_sensors)
  const firmware = device.firmware_version
  const absent =
    firmware === null
      ? []
      : fleet.firmwareMatrix
          .filter(({ below }) => compareVersions(firmware, below) < 0)
          .flatMap((row) => row.absent)
  return new Set(fleet.sensors.map(({ name }) => name).filter((name) => !absent.includes(name)))
}
