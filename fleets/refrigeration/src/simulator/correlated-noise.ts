import { gauge, gaugeCount, operatingPoints, wanderDeviation } from './operating-point.ts'
import { normalTable, type RandomStream } from './random-stream.ts'

/** Share of the last minute that the slow wander keeps: a time constant of about 50 minutes. */
const memory = 0.98
const innovation = Math.sqrt(1 - memory ** 2)

/** Correlations of running sensors that MON-63 asks for. */
const targets = [
  [gauge.evaporator, gauge.current, 0.6],
  [gauge.condenser, gauge.highSide, 0.7],
  [gauge.suction, gauge.superheat, 0.5],
  [gauge.current, gauge.vibration, 0.4],
] as const

/**
 * Correlation of the wander of a pair such that the whole signals, which also hold independent
 * parts, reach the target. At most 0.97.
 */
function wanderCorrelation(pair: (typeof targets)[number]): number {
  const [left, right, target] = pair
  const share = (index: number) => wanderDeviation[index]! / operatingPoints[index]!.std
  return Math.min(0.97, target / (share(left) * share(right)))
}

const [evaporatorCurrent, condenserHigh, suctionSuperheat, currentVibration] = targets.map(
  wanderCorrelation,
) as [number, number, number, number]

function rest(...used: readonly number[]): number {
  return Math.sqrt(Math.max(0, 1 - used.reduce((sum, value) => sum + value ** 2, 0)))
}

// Rows of the Cholesky factor; vibration is uncorrelated with the evaporator, so its whole link to
// the current runs through the part of the current that the evaporator does not explain.
const currentRest = rest(evaporatorCurrent)
const highRest = rest(condenserHigh)
const superheatRest = rest(suctionSuperheat)
const vibrationLink = Math.min(0.97, currentVibration / currentRest)
const vibrationRest = rest(vibrationLink)

/** Fills `out` with standard normal draws without memory, two per 32 random bits. */
export function drawNormals(random: RandomStream, out: Float64Array): void {
  for (let index = 0; index < gaugeCount; index += 2) {
    const bits = random.bits()
    out[index] = normalTable[bits >>> 16]!
    out[index + 1] = normalTable[bits & 0xffff]!
  }
}

/** Moves the wander of all gauges on by a minute; `normals` is overwritten. */
export function advanceWander(wander: Float64Array, normals: Float64Array): void {
  const evaporator = normals[gauge.evaporator]!
  const current = normals[gauge.current]!
  normals[gauge.current] = evaporatorCurrent * evaporator + currentRest * current
  normals[gauge.vibration] = vibrationLink * current + vibrationRest * normals[gauge.vibration]!
  normals[gauge.highSide] =
    condenserHigh * normals[gauge.condenser]! + highRest * normals[gauge.highSide]!
  normals[gauge.superheat] =
    suctionSuperheat * normals[gauge.suction]! + superheatRest * normals[gauge.superheat]!
  for (let index = 0; index < gaugeCount; index++) {
    wander[index] = memory * wander[index]! + innovation * normals[index]!
  }
}
