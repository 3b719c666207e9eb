import { type FleetDefinition, type SeriesFormula, unreachable } from '../../contracts/index.ts'
import { gridSteps, valueGrid } from '../value-grid.ts'
import type { WindowReading } from './live-window.ts'
import { maxSampleStep, minSampleShare } from './series-query.ts'

const minuteMs = 60_000

/** Values of one sensor as features see them, in the order given. */
function valuesOf(
  fleet: FleetDefinition,
  name: string,
  readings: readonly WindowReading[],
): { readonly resolution: number; readonly values: readonly (number | null)[] } {
  const sensor = fleet.sensors.find((one) => one.name === name)
  if (sensor === undefined) throw new RangeError(`sensor ${name} is not defined`)
  const grid = valueGrid(fleet, sensor)
  return {
    resolution: sensor.resolution,
    values: readings.map(({ values: { [name]: value } }) =>
      typeof value === 'number' ? gridSteps(value, grid) / grid.scale : null,
    ),
  }
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

/** Centred sum of products. */
function product(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [sumOf(x) / x.length, sumOf(y) / y.length]
  return x.reduce((sum, value, index) => sum + (value - meanX) * ((y[index] ?? 0) - meanY), 0)
}

const spreadOf = (x: readonly number[]) =>
  x.length < 2 ? 0 : Math.sqrt(product(x, x) / (x.length - 1))

function correlation(
  fleet: FleetDefinition,
  formula: Extract<SeriesFormula, { readonly kind: 'correlation' }>,
  readings: readonly WindowReading[],
): number | null {
  const left = valuesOf(fleet, formula.left, readings)
  const right = valuesOf(fleet, formula.right, readings)
  const pairs = left.values.flatMap((x, index) => {
    const y = right.values[index] ?? null
    return x === null || y === null ? [] : [[x, y] as const]
  })
  const [x, y] = [pairs.map(([first]) => first), pairs.map(([, second]) => second)]
  if (pairs.length < formula.minPairs) return null
  if (spreadOf(x) < left.resolution || spreadOf(y) < right.resolution) return null
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y))
}

/** One sample per minute, or undefined when gaps are too long or too many, FEA-38. */
function samplesOf(
  minutes: number,
  readings: readonly WindowReading[],
  values: readonly (number | null)[],
): Float64Array | undefined {
  const sums = new Float64Array(minutes)
  const counts = new Uint32Array(minutes)
  readings.forEach(({ timeMs }, index) => {
    const value = values[index] ?? null
    if (value === null) return
    const t = Math.floor((timeMs % (minutes * minuteMs)) / minuteMs)
    sums[t] = (sums[t] ?? 0) + value
    counts[t] = (counts[t] ?? 0) + 1
  })
  const samples = sums.map((sum, t) => sum / (counts[t] ?? 1))
  const present = [...counts.keys()].filter((t) => (counts[t] ?? 0) > 0)
  if (present.length < minSampleShare * minutes) return undefined
  if (present[0] !== 0 || present.at(-1) !== minutes - 1) return undefined
  for (const [index, end] of present.entries()) {
    const start = present[index - 1] ?? end
    if (end - start > maxSampleStep) return undefined
    const [low, high] = [samples[start] ?? 0, samples[end] ?? 0]
    for (let t = start + 1; t < end; t++) {
      samples[t] = low + ((high - low) * (t - start)) / (end - start)
    }
  }
  return samples
}

/** Samples without their least-squares line. */
function flatten(samples: Float64Array): Float64Array {
  const n = samples.length
  const centre = (n - 1) / 2
  const level = samples.reduce((sum, y) => sum + y, 0) / n
  const slope = samples.reduce((sum, y, t) => sum + (t - centre) * y, 0) / ((n * (n * n - 1)) / 12)
  return samples.map((y, t) => y - level - slope * (t - centre))
}

/** One-sided power of bins 1 to n/2 under a Hann window; cost n²/2 products. */
function powerOf(flat: Float64Array): Float64Array {
  const n = flat.length
  const cosines = Float64Array.from(flat, (_, t) => Math.cos((2 * Math.PI * t) / n))
  const sines = Float64Array.from(flat, (_, t) => Math.sin((2 * Math.PI * t) / n))
  const windowed = flat.map((z, t) => z * (0.5 - 0.5 * (cosines[t] ?? 0)))
  const power = new Float64Array(n / 2)
  for (let k = 1; k <= n / 2; k++) {
    let re = 0
    let im = 0
    for (let t = 0; t < n; t++) {
      const turn = (k * t) % n
      re += windowed[t]! * cosines[turn]!
      im += windowed[t]! * sines[turn]!
    }
    power[k - 1] = (k === n / 2 ? 1 : 2) * (re * re + im * im)
  }
  return power
}

function spectral(
  fleet: FleetDefinition,
  { sensor, measure }: Extract<SeriesFormula, { readonly kind: 'spectral' }>,
  minutes: number,
  readings: readonly WindowReading[],
): number | null {
  const { resolution, values } = valuesOf(fleet, sensor, readings)
  const samples = samplesOf(minutes, readings, values)
  if (samples === undefined) return null
  const flat = flatten(samples)
  if (spreadOf([...flat]) < resolution) return null
  const power = powerOf(flat)
  const total = power.reduce((sum, p) => sum + p, 0)
  switch (measure) {
    case 'entropy':
      return (
        -power.reduce((sum, p) => sum + (p > 0 ? (p / total) * Math.log(p / total) : 0), 0) /
        Math.log(minutes / 2)
      )
    case 'dominant_frequency': {
      const searched = power.subarray(1)
      return (searched.indexOf(Math.max(...searched)) + 2) / minutes
    }
    case 'short_cycle_ratio':
      return power.reduce((sum, p, index) => sum + ((index + 1) * 10 >= minutes ? p : 0), 0) / total
    default:
      return unreachable(measure)
  }
}

/**
 * An experimental feature of FEA-33 or FEA-38 from the readings of one window, in order of time.
 * Equal to `seriesQuery` up to the rounding of sums; null where that has no row.
 */
export function liveSeriesFeature(
  fleet: FleetDefinition,
  formula: SeriesFormula,
  minutes: number,
  readings: readonly WindowReading[],
): number | null {
  switch (formula.kind) {
    case 'correlation':
      return correlation(fleet, formula, readings)
    case 'starts': {
      const values = readings.flatMap(({ values: { [formula.sensor]: value } }) =>
        typeof value === 'number' ? [value] : [],
      )
      if (values.length === 0) return null
      return values.filter(
        (now, index) => now >= formula.level && (values[index - 1] ?? now) < formula.level,
      ).length
    }
    case 'spectral':
      return spectral(fleet, formula, minutes, readings)
    default:
      return unreachable(formula)
  }
}
