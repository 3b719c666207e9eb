import type { SensorValues } from '../clean/index.ts'
import {
  type Aggregate,
  type FleetDefinition,
  type OperatingMode,
  type Sensor,
  unreachable,
} from '../contracts/index.ts'
import {
  emptyMoments,
  emptyTrend,
  type Moments,
  mergeMoments,
  mergeTrend,
  quantile,
  slope,
  standardDeviation,
  type Trend,
  updateMoments,
  updateTrend,
} from './incremental-aggregates.ts'
import { gridSteps, valueGrid } from './value-grid.ts'

/** One clean reading as windows see it; values are in range. */
export type WindowReading = {
  readonly timeMs: number
  readonly values: SensorValues
  readonly isFlagged: boolean
}

type SensorState = {
  readonly moments: Moments
  readonly trend: Trend
  /** Kept only for sensors with a percentile. */
  readonly values: readonly number[]
}

/** A window so far: plain data that survives JSON. */
export type WindowState = {
  readonly readingCount: number
  readonly nullCount: number
  readonly flaggedCount: number
  readonly sensors: readonly SensorState[]
}

/** Feature values of one window by column; null where FEA-18 and FEA-19 say so. */
export type FeatureValues = Readonly<Record<string, number | null>>

/** The feature definition of a fleet in incremental form, for live windows and as oracle of the SQL. */
export type WindowAccumulator = {
  readonly empty: WindowState
  readonly update: (state: WindowState, reading: WindowReading) => WindowState
  /** Both states must be of one device and one window. */
  readonly merge: (a: WindowState, b: WindowState) => WindowState
  /** @throws RangeError for a window without readings: there is no such row, FEA-13 */
  readonly finish: (state: WindowState) => FeatureValues
}

const dayMs = 86_400_000
const minuteMs = 60_000

function numberOf(
  fleet: FleetDefinition,
  sensor: Sensor,
  value: number | boolean | null | undefined,
): number | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'boolean') return value ? 1 : 0
  const grid = valueGrid(fleet, sensor)
  return gridSteps(value, grid) / grid.scale
}

function updateSensor(
  sensor: Sensor,
  state: SensorState,
  timeMs: number,
  y: number | undefined,
): SensorState {
  if (y === undefined) return state
  const has = (aggregate: Aggregate) => sensor.aggregates.includes(aggregate)
  const x = (timeMs % dayMs) / minuteMs
  return {
    moments: updateMoments(state.moments, y),
    trend: has('slope') ? updateTrend(state.trend, x, y) : state.trend,
    values: has('p95') ? [...state.values, y] : state.values,
  }
}

function finishAggregate(state: SensorState, aggregate: Aggregate): number | null {
  const { moments, trend, values } = state
  switch (aggregate) {
    case 'mean':
    case 'fraction':
      return moments.n === 0 ? null : moments.mean
    case 'std':
      return standardDeviation(moments)
    case 'min':
      return moments.min
    case 'max':
      return moments.max
    case 'slope':
      return slope(trend)
    case 'p95':
      return quantile(values, 0.95)
    default:
      return unreachable(aggregate)
  }
}

/** Derived features in their order; each may use those before it, FEA-19. */
function addDerived(fleet: FleetDefinition, features: Record<string, number | null>): void {
  for (const feature of fleet.derivedFeatures) {
    const names =
      feature.kind === 'ratio'
        ? ([feature.numerator, feature.denominator] as const)
        : ([feature.minuend, feature.subtrahend] as const)
    const [left, right] = names.map((name) => features[name] ?? null)
    features[feature.name] = null
    if (left === null || left === undefined || right === null || right === undefined) continue
    if (feature.kind === 'difference') features[feature.name] = left - right
    else if (right !== 0 && isAbove(right, feature.denominatorAbove, feature.inclusive)) {
      features[feature.name] = left / right
    }
  }
}

function isAbove(value: number, limit: number, inclusive = false): boolean {
  return inclusive ? value >= limit : value > limit
}

/** The incremental form of a fleet's features. */
export function windowAccumulator(fleet: FleetDefinition): WindowAccumulator {
  const { sensors } = fleet
  const emptySensor: SensorState = { moments: emptyMoments, trend: emptyTrend, values: [] }
  return {
    empty: {
      readingCount: 0,
      nullCount: 0,
      flaggedCount: 0,
      sensors: sensors.map(() => emptySensor),
    },
    update: (state, { timeMs, values, isFlagged }) => {
      const numbers = sensors.map((sensor) => numberOf(fleet, sensor, values[sensor.name]))
      return {
        readingCount: state.readingCount + 1,
        nullCount: state.nullCount + numbers.filter((y) => y === undefined).length,
        flaggedCount: state.flaggedCount + (isFlagged ? 1 : 0),
        sensors: sensors.map((sensor, index) =>
          updateSensor(sensor, state.sensors[index] ?? emptySensor, timeMs, numbers[index]),
        ),
      }
    },
    merge: (a, b) => ({
      readingCount: a.readingCount + b.readingCount,
      nullCount: a.nullCount + b.nullCount,
      flaggedCount: a.flaggedCount + b.flaggedCount,
      sensors: a.sensors.map((left, index) => {
        const right = b.sensors[index] ?? emptySensor
        return {
          moments: mergeMoments(left.moments, right.moments),
          trend: mergeTrend(left.trend, right.trend),
          values: [...left.values, ...right.values],
        }
      }),
    }),
    finish: (state) => {
      if (state.readingCount === 0) {
        throw new RangeError('a window without readings has no features; check readingCount first')
      }
      const features: Record<string, number | null> = {}
      sensors.forEach((sensor, index) => {
        for (const aggregate of sensor.aggregates) {
          features[`${sensor.short}_${aggregate}`] = finishAggregate(
            state.sensors[index] ?? emptySensor,
            aggregate,
          )
        }
      })
      addDerived(fleet, features)
      const total = sensors.length * state.readingCount
      features.reading_count = state.readingCount
      features.sensor_completeness = (total - state.nullCount) / total
      features.quality_flag_count = state.flaggedCount
      return features
    },
  }
}

/** Operating mode of a window, FEA-22: the first that matches, else `normal`. */
export function operatingMode(modes: readonly OperatingMode[], features: FeatureValues): string {
  const match = modes.find(({ feature, atLeast, below }) => {
    const value = features[feature] ?? null
    if (value === null) return false
    return (atLeast === undefined || value >= atLeast) && (below === undefined || value < below)
  })
  return match?.name ?? 'normal'
}
