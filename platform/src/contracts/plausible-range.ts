import type { FleetDefinition, Sensor } from './fleet.ts'

/**
 * Bounds that every clean value of a sensor keeps, whatever the class of its device: the widest of
 * the sensor's own range, those of the equipment classes and those of idle units, CON-4. Undefined
 * for a sensor without a range. Cleansing holds each device to the range of its own class.
 */
export function plausibleRange(
  fleet: FleetDefinition,
  sensor: Sensor,
): readonly [number, number] | undefined {
  if (sensor.range === undefined) return undefined
  const ranges = [
    sensor.range,
    ...Object.values(fleet.rangeProfiles).map((profile) => profile[sensor.name]),
    fleet.idleBounds?.ranges[sensor.name],
  ].filter((range) => range !== undefined)
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))]
}
