import type { SensorValues } from '../../clean/index.ts'
import type { FleetDefinition, OperatingMode } from '../../contracts/index.ts'
import { gridSteps, type ValueGrid, valueGrid } from '../value-grid.ts'
import type { Moment } from './term.ts'
import { termValue } from './term-value.ts'
import { neededMoments } from './window-sums.ts'
import { windowFeatures } from './window-terms.ts'

/** One clean reading as windows see it; values are in range. */
export type WindowReading = {
  readonly timeMs: number
  readonly values: SensorValues
  readonly isFlagged: boolean
}

/** Exact sums of one sensor; `steps` only where a percentile needs them. */
export type SensorSums = {
  readonly n: bigint
  readonly sum: bigint
  readonly squares: bigint
  readonly min: bigint | null
  readonly max: bigint | null
  readonly true: bigint
  readonly times: bigint
  readonly time_squares: bigint
  readonly time_products: bigint
  readonly steps: readonly number[]
}

/** A window so far: plain data. */
export type WindowState = {
  readonly readingCount: number
  readonly nullCount: number
  readonly flaggedCount: number
  readonly sensors: readonly SensorSums[]
}

/** Feature values of one window by column; null where FEA-18 and FEA-19 say so. */
export type FeatureValues = Readonly<Record<string, number | null>>

/**
 * The stored features of a fleet in incremental form, for live windows. Its values are those of the
 * SQL to the bit, whatever the order of updates and merges, because sums are exact.
 */
export type WindowAccumulator = {
  readonly empty: WindowState
  readonly update: (state: WindowState, reading: WindowReading) => WindowState
  /** Both states must be of one device and one window. */
  readonly merge: (a: WindowState, b: WindowState) => WindowState
  /**
   * @param ownSensorCount sensors that the device's registry row lists, default all of the fleet
   * @throws RangeError for a window without readings: there is no such row, FEA-13
   */
  readonly finish: (state: WindowState, ownSensorCount?: number) => FeatureValues
}

const dayMs = 86_400_000

const emptySums: SensorSums = {
  n: 0n,
  sum: 0n,
  squares: 0n,
  min: null,
  max: null,
  true: 0n,
  times: 0n,
  time_squares: 0n,
  time_products: 0n,
  steps: [],
}

const lower = (a: bigint | null, b: bigint | null) => (a === null || (b !== null && b < a) ? b : a)
const higher = (a: bigint | null, b: bigint | null) => (a === null || (b !== null && b > a) ? b : a)

function mergeSums(a: SensorSums, b: SensorSums): SensorSums {
  return {
    n: a.n + b.n,
    sum: a.sum + b.sum,
    squares: a.squares + b.squares,
    min: lower(a.min, b.min),
    max: higher(a.max, b.max),
    true: a.true + b.true,
    times: a.times + b.times,
    time_squares: a.time_squares + b.time_squares,
    time_products: a.time_products + b.time_products,
    steps: [...a.steps, ...b.steps],
  }
}

/** Sums of one value; times count from midnight, which no slope depends on. */
function sumsOf(value: number, timeMs: number, keepsSteps: boolean): SensorSums {
  const step = BigInt(value)
  const time = BigInt(timeMs % dayMs)
  return {
    n: 1n,
    sum: step,
    squares: step * step,
    min: step,
    max: step,
    true: step === 0n ? 0n : 1n,
    times: time,
    time_squares: time * time,
    time_products: step * time,
    steps: keepsSteps ? [value] : [],
  }
}

/** Exact quantile by linear interpolation at rank q·(n−1); null without values. */
function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const rank = q * (sorted.length - 1)
  const low = sorted[Math.floor(rank)] ?? 0
  const high = sorted[Math.ceil(rank)] ?? low
  const share = rank - Math.floor(rank)
  return low * (1 - share) + high * share
}

function momentValue(sums: SensorSums, moment: Moment): bigint | number | null {
  if (moment === 'p95') return quantile(sums.steps, 0.95)
  // A sum over nothing is null in SQL; every term that reads one asks for n first.
  return sums[moment]
}

function finish(fleet: FleetDefinition, state: WindowState, ownSensors: number): FeatureValues {
  if (state.readingCount === 0) {
    throw new RangeError('a window without readings has no features; check readingCount first')
  }
  const counts = {
    reading_count: BigInt(state.readingCount),
    null_count: BigInt(state.nullCount),
    quality_flag_count: BigInt(state.flaggedCount),
    own_sensors: BigInt(ownSensors),
  }
  const values: Record<string, number | null> = {}
  const source = {
    moment: (sensor: number, moment: Moment) =>
      momentValue(state.sensors[sensor] ?? emptySums, moment),
    count: (of: keyof typeof counts) => counts[of],
    column: (name: string) => values[name] ?? null,
  }
  for (const { name, term } of windowFeatures(fleet)) values[name] = termValue(source, term)
  return values
}

function stepOf(grid: ValueGrid | undefined, value: number | boolean): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  return grid === undefined ? value : gridSteps(value, grid)
}

/** The incremental form of a fleet's features. */
export function windowAccumulator(fleet: FleetDefinition): WindowAccumulator {
  const grids = fleet.sensors.map((sensor) =>
    sensor.kind === 'boolean' ? undefined : valueGrid(fleet, sensor),
  )
  const keepsSteps = neededMoments(fleet).map((moments) => moments.includes('p95'))
  return {
    empty: {
      readingCount: 0,
      nullCount: 0,
      flaggedCount: 0,
      sensors: fleet.sensors.map(() => emptySums),
    },
    update: (state, { timeMs, values, isFlagged }) => {
      let nullCount = state.nullCount
      const sensors = fleet.sensors.map(({ name }, index) => {
        const sums = state.sensors[index] ?? emptySums
        const value = values[name]
        if (value === null || value === undefined) {
          nullCount++
          return sums
        }
        const step = stepOf(grids[index], value)
        return mergeSums(sums, sumsOf(step, timeMs, keepsSteps[index] === true))
      })
      return {
        readingCount: state.readingCount + 1,
        nullCount,
        flaggedCount: state.flaggedCount + (isFlagged ? 1 : 0),
        sensors,
      }
    },
    merge: (a, b) => ({
      readingCount: a.readingCount + b.readingCount,
      nullCount: a.nullCount + b.nullCount,
      flaggedCount: a.flaggedCount + b.flaggedCount,
      sensors: a.sensors.map((sums, index) => mergeSums(sums, b.sensors[index] ?? emptySums)),
    }),
    finish: (state, ownSensorCount = fleet.sensors.length) => finish(fleet, state, ownSensorCount),
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
