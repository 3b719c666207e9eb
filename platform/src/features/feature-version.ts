import { createHash } from 'node:crypto'
import type { FleetDefinition } from '../contracts/index.ts'
import { valueGrid } from './value-grid.ts'

/** Raised when the meaning of an aggregate changes for all fleets. */
const formulaVersion = 1

/**
 * Version of a fleet's feature definitions, FEA-59: equal for equal formulas, whatever labels or
 * texts say. Twelve hexadecimal digits of a SHA-256.
 */
export function featureVersion(fleet: FleetDefinition): string {
  const sensors = fleet.sensors.map((sensor) => [
    sensor.name,
    sensor.short,
    sensor.kind,
    sensor.aggregates,
    sensor.kind === 'boolean' ? null : valueGrid(fleet, sensor).scale,
  ])
  const derived = fleet.derivedFeatures.map(({ name, formula }) => {
    if (formula.kind === 'difference') return [name, formula.minuend, formula.subtrahend]
    if (formula.kind !== 'ratio') return [name, formula]
    const { numerator, denominator, denominatorAbove, inclusive = false } = formula
    return [name, numerator, denominator, denominatorAbove, inclusive]
  })
  const modes = fleet.operatingModes.map(({ name, feature, atLeast, below }) => [
    name,
    feature,
    atLeast ?? null,
    below ?? null,
  ])
  const definition = JSON.stringify([formulaVersion, sensors, derived, modes])
  return createHash('sha256').update(definition).digest('hex').slice(0, 12)
}
