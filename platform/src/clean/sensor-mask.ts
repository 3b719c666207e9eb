import { type FleetDefinition, IsothermError, quoteName } from '../contracts/index.ts'

/** A set of sensors is a BIGINT with one bit each, in the order of the fleet. */
const maxSensors = 62

/** @throws IsothermError FLEET_INVALID if the fleet has more sensors than bits */
export function checkSensorCount(fleet: FleetDefinition): void {
  if (fleet.sensors.length <= maxSensors) return
  throw new IsothermError(
    'FLEET_INVALID',
    `fleet ${fleet.name}: ${fleet.sensors.length} sensors, at most ${maxSensors} fit one message; ` +
      'split it into two fleets',
  )
}

/** The bit of a sensor by its index, as SQL. */
export function sensorBit(index: number): string {
  return `${2n ** BigInt(index)}::BIGINT`
}

/** SQL of the set of sensors for which a condition holds. */
export function sensorMask(
  fleet: FleetDefinition,
  condition: (column: string, index: number) => string,
): string {
  return fleet.sensors
    .map(({ name }, index) => {
      const holds = condition(quoteName(name), index)
      return `CASE WHEN ${holds} THEN ${sensorBit(index)} ELSE 0 END`
    })
    .join(' + ')
}

/** The set of the named sensors as a number for a BIGINT column. */
export function maskOf(fleet: FleetDefinition, names: ReadonlySet<string>): bigint {
  return fleet.sensors.reduce(
    (mask, { name }, index) => (names.has(name) ? mask | (2n ** BigInt(index)) : mask),
    0n,
  )
}
