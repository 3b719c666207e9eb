import { allRanges } from '../clean/index.ts'
import { type FleetDefinition, IsothermError, type Sensor } from '../contracts/index.ts'

/**
 * The decimal grid on which a sensor's readings enter its features. Sums over integers are exact, so
 * a feature does not depend on the order of rows, threads or commits (FEA-15): floating sums would.
 * The grid is the finest power of ten for which a square fits 64 bits: 10^-6 for ranges up to 1,000,
 * which is finer than any sensor resolves and keeps decimal readings as they were sent.
 */
export type ValueGrid = {
  /** Grid steps per unit, a power of ten. */
  readonly scale: number
  /** True if squares need 128 bits. */
  readonly isWide: boolean
}

/** Grid steps of the largest value: 2^30, so that products of two stay inside 64 bits. */
const maxSteps = 1e9
const minDigits = 2
const maxDigits = 9
/** Sums of squares over a day of readings stay inside 128 bits up to here. */
const maxWideSteps = 1e13

/** @throws IsothermError FLEET_INVALID for a gauge or counter without a range, or one too large */
export function valueGrid(fleet: FleetDefinition, sensor: Sensor): ValueGrid {
  const ranges = allRanges(fleet, sensor)
  const largest = Math.max(...ranges.flatMap((range) => range.map(Math.abs)))
  const fail = (reason: string): never => {
    throw new IsothermError('FLEET_INVALID', `fleet ${fleet.name}: sensor ${sensor.name} ${reason}`)
  }
  if (sensor.range === undefined) fail('has no range; give its lowest and highest plausible value')
  const digits = Math.floor(Math.log10(maxSteps / largest))
  const scale = 10 ** Math.min(maxDigits, Math.max(minDigits, digits))
  const steps = largest * scale
  if (steps > maxWideSteps) fail(`ranges to ${largest}; use a larger unit`)
  return { scale, isWide: steps > 2 ** 31 - 1 }
}

/** Nearest grid step of a value, halves to even as SQL casts do. */
export function gridSteps(value: number, { scale }: ValueGrid): number {
  const scaled = value * scale
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/** SQL of `gridSteps`; a value outside the sensor's ranges fails the query. */
export function gridStepsSql(column: string, { scale, isWide }: ValueGrid): string {
  return `CAST(${column} * ${scale} AS ${isWide ? 'BIGINT' : 'INTEGER'})`
}
