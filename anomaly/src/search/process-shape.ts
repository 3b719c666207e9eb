import { nextNormal, type Random } from '../statistics/random.ts'
import {
  conditionProcess,
  type GaussianProcess,
  type Observations,
  type ProcessShape,
} from './gaussian-process.ts'

/**
 * Beliefs before any observation, as mean and deviation of logs: values change over about half the
 * range of a parameter, and noise is small against what parameters do.
 */
const LOG_LENGTH = { mean: Math.log(0.5), deviation: 1 }
const LOG_NOISE = { mean: Math.log(1e-3), deviation: 2 }

/** Shapes drawn from the beliefs before the best is refined. */
const DRAWS = 24

/** Steps of the refinement, in logs. */
const REFINEMENTS = [1, 0.5, 0.25]

/**
 * Process with the most probable shape that a search over draws and single steps finds.
 * Cost: about 40 + 6 · coordinates conditionings.
 */
export function fitProcess(observations: Observations, random: Random): GaussianProcess {
  const coordinateCount = observations.points[0]?.length ?? 0
  let best = judge(observations, priorMean(coordinateCount))
  for (let draw = 0; draw < DRAWS; draw++) {
    best = better(best, judge(observations, drawShape(random, coordinateCount)))
  }
  for (const step of REFINEMENTS) {
    for (let parameter = 0; parameter <= coordinateCount; parameter++) {
      for (const direction of [step, -step]) {
        const { shape } = best.process
        best = better(best, judge(observations, moved(shape, parameter, direction)))
      }
    }
  }
  return best.process
}

type Judged = { readonly process: GaussianProcess; readonly logPosterior: number }

function judge(observations: Observations, shape: ProcessShape): Judged {
  const process = conditionProcess(observations, shape)
  if (process === undefined) {
    // Equal points need noise; with enough of it every matrix is regular.
    return judge(observations, { ...shape, logNoise: shape.logNoise + 3 })
  }
  let logPrior = -0.5 * ((shape.logNoise - LOG_NOISE.mean) / LOG_NOISE.deviation) ** 2
  for (const logLength of shape.logLengths) {
    logPrior -= 0.5 * ((logLength - LOG_LENGTH.mean) / LOG_LENGTH.deviation) ** 2
  }
  return { process, logPosterior: process.logLikelihood + logPrior }
}

function better(a: Judged, b: Judged): Judged {
  return b.logPosterior > a.logPosterior ? b : a
}

function priorMean(coordinateCount: number): ProcessShape {
  return {
    logLengths: new Float64Array(coordinateCount).fill(LOG_LENGTH.mean),
    logNoise: LOG_NOISE.mean,
  }
}

function drawShape(random: Random, coordinateCount: number): ProcessShape {
  const logLengths = new Float64Array(coordinateCount)
  for (let c = 0; c < coordinateCount; c++) {
    logLengths[c] = LOG_LENGTH.mean + LOG_LENGTH.deviation * nextNormal(random)
  }
  return { logLengths, logNoise: LOG_NOISE.mean + LOG_NOISE.deviation * nextNormal(random) }
}

/** The shape with one length, or with the last index the noise, changed. */
function moved(shape: ProcessShape, parameter: number, change: number): ProcessShape {
  if (parameter === shape.logLengths.length) return { ...shape, logNoise: shape.logNoise + change }
  const logLengths = shape.logLengths.slice()
  logLengths[parameter] = logLengths[parameter]! + change
  return { ...shape, logLengths }
}
