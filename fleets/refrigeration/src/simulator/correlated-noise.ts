import { drawCorrelation, gauge, gaugeCount, memory } from './operating-point.ts'
import { normalTable, type RandomStream } from './random-stream.ts'

/** Weight of a new draw, so that the wander keeps variance 1. */
const renewal: Float64Array = memory.map((kept) => Math.sqrt(1 - kept ** 2))

// Correlations of running sensors that MON-63 asks for.
const evaporatorCurrent = drawCorrelation(gauge.evaporator, gauge.current, 0.6)
const condenserHigh = drawCorrelation(gauge.condenser, gauge.highSide, 0.7)
const suctionSuperheat = drawCorrelation(gauge.suction, gauge.superheat, 0.5)
const currentVibration = drawCorrelation(gauge.current, gauge.vibration, 0.4)

/** What a correlation leaves to the gauge's own randomness. */
function rest(correlation: number): number {
  return Math.sqrt(1 - correlation ** 2)
}

// Rows of the Cholesky factor: a hotter coil loads the motor, and a loaded motor vibrates.
const currentRest = rest(evaporatorCurrent)
const highRest = rest(condenserHigh)
const superheatRest = rest(suctionSuperheat)
const vibrationRest = rest(currentVibration)

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
  const load = evaporatorCurrent * evaporator + currentRest * current
  normals[gauge.current] = load
  normals[gauge.vibration] = currentVibration * load + vibrationRest * normals[gauge.vibration]!
  normals[gauge.highSide] =
    condenserHigh * normals[gauge.condenser]! + highRest * normals[gauge.highSide]!
  normals[gauge.superheat] =
    suctionSuperheat * normals[gauge.suction]! + superheatRest * normals[gauge.superheat]!
  for (let index = 0; index < gaugeCount; index++) {
    wander[index] = memory[index]! * wander[index]! + renewal[index]! * normals[index]!
  }
}
