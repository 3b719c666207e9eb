import { unreachable } from './errors.ts'
import type { FeatureDefinition, FeatureFormula } from './feature-formula.ts'
import type { FleetDefinition, Sensor } from './fleet.ts'
import { isSameUnit, type Unit, unitOf, unitQuotient } from './unit.ts'

/** What a definition may build on, by name. */
export type KnownFeatures = ReadonlyMap<
  string,
  { readonly unit: string; readonly isStored: boolean }
>

/** Why a definition cannot work, or undefined. */
type Fault = string | undefined

/** Features that a formula reads. */
export function operandsOf(formula: FeatureFormula): readonly string[] {
  switch (formula.kind) {
    case 'difference':
      return [formula.minuend, formula.subtrahend]
    case 'ratio':
      return [formula.numerator, formula.denominator]
    case 'lag':
    case 'rate':
    case 'rolling':
    case 'cohort_difference':
    case 'cohort_z':
      return [formula.of]
    case 'aggregate':
    case 'count':
    case 'completeness':
    case 'correlation':
    case 'spectral':
    case 'starts':
    case 'season':
      return []
    default:
      return unreachable(formula)
  }
}

/** Sensors that a formula reads. */
export function sensorsOf(formula: FeatureFormula): readonly string[] {
  if (formula.kind === 'correlation') return [formula.left, formula.right]
  return 'sensor' in formula ? [formula.sensor] : []
}

/** Unit of what a formula gives; operands must be known. */
function resultUnit(formula: FeatureFormula, unit: (name: string) => Unit): Unit {
  switch (formula.kind) {
    case 'aggregate':
      if (formula.aggregate === 'fraction') return unitOf('')
      return formula.aggregate === 'slope'
        ? unitQuotient(unit(formula.sensor), unitOf('min'))
        : unit(formula.sensor)
    case 'difference':
      return unit(formula.minuend)
    case 'ratio':
      return unitQuotient(unit(formula.numerator), unit(formula.denominator))
    case 'lag':
    case 'rolling':
    case 'cohort_difference':
      return unit(formula.of)
    case 'rate':
      return unitQuotient(unit(formula.of), unitOf('h'))
    case 'spectral':
      return unitOf(formula.measure === 'dominant_frequency' ? 'cycles/min' : '')
    case 'count':
    case 'completeness':
    case 'correlation':
    case 'starts':
    case 'season':
    case 'cohort_z':
      return unitOf('')
    default:
      return unreachable(formula)
  }
}

function sensorFault(formula: FeatureFormula, sensors: ReadonlyMap<string, Sensor>): Fault {
  const missing = sensorsOf(formula).find((name) => !sensors.has(name))
  if (missing !== undefined) {
    return `reads sensor ${missing}, which the fleet does not have; it has ${[...sensors.keys()].join(', ')}`
  }
  const states = sensorsOf(formula).filter((name) => sensors.get(name)?.kind === 'boolean')
  const isShare = formula.kind === 'aggregate' && formula.aggregate === 'fraction'
  if (states.length > 0 && !isShare) {
    const what = formula.kind === 'aggregate' ? formula.aggregate : formula.kind
    return `takes the ${what} of ${states[0]}, which is a state; use its fraction`
  }
  return undefined
}

/** Only stored features have a past and peers. */
function historyFault(formula: FeatureFormula, known: KnownFeatures): Fault {
  if (!('of' in formula) || formula.kind === 'count') return undefined
  if (known.get(formula.of)?.isStored === true) return undefined
  return `needs rows of ${formula.of} from other windows or peers, but it is not stored`
}

/** A window may look back only, in whole windows of its source, FEA-44 and FEA-46. */
function timeFault(formula: FeatureFormula, windowMinutes: readonly number[]): Fault {
  if (formula.kind === 'lag' || formula.kind === 'rate') {
    const { windows } = formula
    if (windows < 0) return `looks ${-windows} windows ahead; a feature never sees the future`
    return Number.isInteger(windows) && windows > 0
      ? undefined
      : `looks ${windows} windows back; give a whole number from 1`
  }
  if (formula.kind !== 'rolling') return undefined
  const { days, sourceMinutes, atLeast } = formula
  if (days < 0) return `looks ${-days} days ahead; a feature never sees the future`
  if (days === 0) return 'looks back over no time; give days above 0'
  if (sourceMinutes !== undefined && !windowMinutes.includes(sourceMinutes)) {
    return `reads windows of ${sourceMinutes} min; the fleet has ${windowMinutes.join(', ')}`
  }
  const sources = sourceMinutes === undefined ? windowMinutes : [sourceMinutes]
  const uneven = sources.find((minutes) => (days * 1440) % minutes !== 0)
  if (uneven !== undefined) {
    return `looks back over ${days * 1440} min, which windows of ${uneven} min do not divide`
  }
  const most = (days * 1440) / Math.max(...sources)
  return 'count' in atLeast && atLeast.count > most
    ? `needs ${atLeast.count} windows, but ${days} days have only ${most}`
    : undefined
}

function unitFault(definition: FeatureDefinition, unit: (name: string) => string): Fault {
  const { formula } = definition
  if (formula.kind === 'difference') {
    const [left, right] = [unit(formula.minuend), unit(formula.subtrahend)]
    if (!isSameUnit(unitOf(left), unitOf(right))) {
      return `takes ${formula.subtrahend} (${right || 'no unit'}) from ${formula.minuend} (${left || 'no unit'}); both need one unit`
    }
  }
  const result = resultUnit(formula, (name) => unitOf(unit(name)))
  if (isSameUnit(result, unitOf(definition.unit))) return undefined
  const text = [...result].map(([symbol, exponent]) => `${symbol}^${exponent}`).join(' ')
  return `has unit '${definition.unit}', but its formula gives '${text}'`
}

/**
 * Why a definition cannot work: an unknown sensor or feature, units that do not add up, a look into
 * the future, a look-back that is no whole number of its source's windows. Undefined if it can.
 */
export function featureFault(
  fleet: Pick<FleetDefinition, 'sensors' | 'windowMinutes'>,
  definition: FeatureDefinition,
  known: KnownFeatures,
): Fault {
  const sensors = new Map(fleet.sensors.map((sensor) => [sensor.name, sensor]))
  const { name, formula } = definition
  const missing = operandsOf(formula).find((operand) => !known.has(operand))
  const unit = (operand: string) => known.get(operand)?.unit ?? sensors.get(operand)?.unit ?? ''
  const fault =
    sensorFault(formula, sensors) ??
    (missing === undefined
      ? undefined
      : `builds on feature ${missing}, which is not defined before it`) ??
    historyFault(formula, known) ??
    timeFault(formula, fleet.windowMinutes) ??
    unitFault(definition, unit)
  return fault === undefined ? undefined : `feature ${name} ${fault}`
}
