import { type FleetDefinition, quoteName, type Sensor } from '../contracts/index.ts'
import { sqlText } from './sql-literal.ts'

/** Standard atmosphere, added to gauge pressures, CON-4. */
const atmosphereKpa = 101.325

type Range = readonly [number, number]

function rangeOf(
  fleet: FleetDefinition,
  equipmentClass: string,
  sensor: Sensor,
): Range | undefined {
  return fleet.rangeProfiles[equipmentClass]?.[sensor.name] ?? sensor.range
}

function isWithin(value: number, range: Range | undefined): boolean {
  if (range === undefined) return Number.isFinite(value)
  return value >= range[0] && value <= range[1]
}

/** Values of one message by sensor; a missing key and null mean the same. */
export type SensorValues = Readonly<Record<string, number | boolean | null | undefined>>

/**
 * One message's values after gauge correction and range check, the single-row form of what the
 * cleansing job does to tables (CON-4, CON-9): for the live view, and the oracle of the SQL.
 */
export function plausibleValues(
  fleet: FleetDefinition,
  device: { readonly equipment_class: string; readonly pressure_reference: string },
  received: SensorValues,
): { readonly values: SensorValues; readonly violations: readonly string[] } {
  const values: Record<string, number | boolean | null> = {}
  const violations: string[] = []
  const corrected = (name: string): number | boolean | null => {
    const value = received[name] ?? null
    const isGauge =
      device.pressure_reference === 'gauge' && fleet.absolutePressureSensors.includes(name)
    return typeof value === 'number' && isGauge ? value + atmosphereKpa : value
  }
  const { idleBounds } = fleet
  const idleValue = idleBounds === undefined ? null : corrected(idleBounds.sensor)
  const isIdle =
    idleBounds !== undefined && typeof idleValue === 'number' && idleValue < idleBounds.below
  for (const sensor of fleet.sensors) {
    const value = corrected(sensor.name)
    const idleRange = isIdle ? idleBounds.ranges[sensor.name] : undefined
    const isPlausible =
      typeof value !== 'number' ||
      isWithin(value, rangeOf(fleet, device.equipment_class, sensor)) ||
      (idleRange !== undefined && isWithin(value, idleRange))
    values[sensor.name] = isPlausible ? value : null
    if (!isPlausible) violations.push(sensor.name)
  }
  return { values, violations }
}

/** Value of a sensor after gauge correction, as SQL over a received row joined to its device. */
export function correctedSql(fleet: FleetDefinition, sensor: Sensor): string {
  const name = quoteName(sensor.name)
  if (!fleet.absolutePressureSensors.includes(sensor.name)) return name
  return `CASE WHEN is_gauge THEN ${name} + ${atmosphereKpa} ELSE ${name} END`
}

function within(value: string, range: Range | undefined): string {
  if (range === undefined) return `isfinite(${value})`
  return `${value} BETWEEN ${range[0]} AND ${range[1]}`
}

/** SQL test that a value, already corrected, is plausible for its equipment class, CON-4. */
export function plausibleSql(fleet: FleetDefinition, sensor: Sensor, value: string): string {
  const profiles = Object.entries(fleet.rangeProfiles).filter(
    ([, ranges]) => ranges[sensor.name] !== undefined,
  )
  const ordinary = within(value, sensor.range)
  const cases = profiles.map(
    ([name, ranges]) =>
      `WHEN equipment_class = ${sqlText(name)} THEN ${within(value, ranges[sensor.name])}`,
  )
  const base = cases.length === 0 ? ordinary : `CASE ${cases.join(' ')} ELSE ${ordinary} END`
  const idle = fleet.idleBounds?.ranges[sensor.name]
  return idle === undefined ? `(${base})` : `(${base} OR (is_idle AND ${within(value, idle)}))`
}

/** Every range a sensor may have: its own, those of other classes and the one while idle. */
export function allRanges(fleet: FleetDefinition, sensor: Sensor): readonly Range[] {
  return [
    sensor.range,
    ...Object.values(fleet.rangeProfiles).map((profile) => profile[sensor.name]),
    fleet.idleBounds?.ranges[sensor.name],
  ].filter((range) => range !== undefined)
}

/** SQL test over `judged`: some numeric value of a message is outside its range, CON-8. */
export function anyViolationSql(fleet: FleetDefinition): string {
  const tests = fleet.sensors
    .filter(({ kind }) => kind !== 'boolean')
    .map((sensor) => {
      const value = `(${correctedSql(fleet, sensor)})`
      return `(${value} IS NOT NULL AND NOT ${plausibleSql(fleet, sensor, value)})`
    })
  return tests.length === 0 ? 'false' : tests.join(' OR ')
}
