import { createRandom, nextNormal, nextOpenUnit, type Random } from '../statistics/random.ts'
import { expectedImprovement } from './expected-improvement.ts'
import { type GaussianProcess, type Observations, predictProcess } from './gaussian-process.ts'
import type { HyperSearch } from './hyper-search.ts'
import { fitProcess } from './process-shape.ts'
import { coordinateCount, decodePoint, encodeParameters, type SearchSpace } from './search-space.ts'

/** Trials that the process is conditioned on: the best half and the latest half of this. */
const MAX_OBSERVATIONS = 200

/** Points drawn from the whole space, and near each of the best trials. */
const WIDE_DRAWS = 600
const NEAR_DRAWS = 60
const NEAR_TRIALS = 5

/** Distances of near draws, as shares of a parameter's range. */
const NEAR_DISTANCES = [0.2, 0.05, 0.01]

/** Point of highest expected improvement among random ones, wide and near the best trials. */
export function suggestPoint(search: HyperSearch): Float64Array {
  const { space, seed, trials } = search
  const random = createRandom(seed, 1 + trials.length)
  const observations = observe(search)
  if (observations === undefined) return widePoint(random, space)
  const process = fitProcess(observations, random)
  const tried = new Set(trials.map(({ parameters }) => encodeParameters(space, parameters).join()))
  const best = leastMean(process)
  let chosen = widePoint(random, space)
  let most = Number.NEGATIVE_INFINITY
  const consider = (point: Float64Array) => {
    // Integers and choices may bring a point back to what was already measured.
    if (tried.has(point.join())) return
    const { mean, deviation } = predictProcess(process, point)
    const improvement = expectedImprovement(mean, deviation, best)
    if (improvement > most) {
      most = improvement
      chosen = point
    }
  }
  for (let draw = 0; draw < WIDE_DRAWS; draw++) consider(widePoint(random, space))
  for (const centre of lowestPoints(observations)) {
    for (const distance of NEAR_DISTANCES) {
      for (let draw = 0; draw < NEAR_DRAWS; draw++) {
        consider(nearPoint(random, space, centre, distance))
      }
    }
  }
  return chosen
}

/** Points and standardised losses; undefined before anything was measured. */
function observe({ space, trials }: HyperSearch): Observations | undefined {
  const measured = trials.flatMap(({ outcome }) =>
    outcome.kind === 'measured' ? [outcome.loss] : [],
  )
  if (measured.length === 0) return undefined
  const sorted = measured.toSorted((a, b) => a - b)
  const least = sorted[0]!
  const median = sorted[sorted.length >>> 1]!
  // How bad a bad trial was says nothing about where good ones lie: losses further above the
  // median than three times the best lies below it count as that.
  const cap = median > least ? median + 3 * (median - least) : sorted.at(-1)!
  const worst = Math.min(cap, sorted.at(-1)!)
  const losses = trials.map(({ outcome }) =>
    outcome.kind === 'measured' ? Math.min(outcome.loss, cap) : worst,
  )
  const kept = keptTrials(losses)
  const mean = kept.reduce((sum, trial) => sum + losses[trial]!, 0) / kept.length
  const square = kept.reduce((sum, trial) => sum + (losses[trial]! - mean) ** 2, 0)
  const deviation = Math.sqrt(square / kept.length) || 1
  return {
    points: kept.map((trial) => encodeParameters(space, trials[trial]!.parameters)),
    values: Float64Array.from(kept, (trial) => (losses[trial]! - mean) / deviation),
  }
}

function keptTrials(losses: readonly number[]): readonly number[] {
  const all = [...losses.keys()]
  if (all.length <= MAX_OBSERVATIONS) return all
  const half = MAX_OBSERVATIONS / 2
  const best = all.toSorted((a, b) => losses[a]! - losses[b]! || a - b).slice(0, half)
  return [...new Set([...best, ...all.slice(-half)])].sort((a, b) => a - b)
}

/** Least expected loss at a tried point: unlike the least measured one, not lucky noise. */
function leastMean(process: GaussianProcess): number {
  return process.observations.points.reduce(
    (least, point) => Math.min(least, predictProcess(process, point).mean),
    Number.POSITIVE_INFINITY,
  )
}

function lowestPoints({ points, values }: Observations): Float64Array[] {
  return [...points.keys()]
    .sort((a, b) => values[a]! - values[b]! || a - b)
    .slice(0, NEAR_TRIALS)
    .map((at) => points[at]!)
}

function widePoint(random: Random, space: SearchSpace): Float64Array {
  const point = new Float64Array(coordinateCount(space))
  for (let c = 0; c < point.length; c++) point[c] = nextOpenUnit(random)
  return snapped(space, point)
}

function nearPoint(
  random: Random,
  space: SearchSpace,
  centre: Float64Array,
  distance: number,
): Float64Array {
  const point = centre.map((coordinate) =>
    Math.min(1, Math.max(0, coordinate + distance * nextNormal(random))),
  )
  return snapped(space, point)
}

/** The point of the parameters that a point stands for. */
function snapped(space: SearchSpace, point: Float64Array): Float64Array {
  return encodeParameters(space, decodePoint(space, point))
}
