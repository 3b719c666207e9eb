/** Index of each gauge in the arrays of the simulation; the order is that of CON-3. */
export const gauge = {
  evaporator: 0,
  condenser: 1,
  ambient: 2,
  discharge: 3,
  suction: 4,
  highSide: 5,
  lowSide: 6,
  current: 7,
  vibration: 8,
  humidity: 9,
  superheat: 10,
  subcooling: 11,
} as const

/** Number of gauges. */
export const gaugeCount = 12

type OperatingPoint = {
  readonly sensor: string
  /** Mean and standard deviation while the compressor runs, MON-63. */
  readonly mean: number
  readonly std: number
  /** Noise of the sensor itself, without memory. */
  readonly jitter: number
  /** Change per kelvin of ambient temperature. */
  readonly perKelvin: number
  /** Share of its random wander that a gauge keeps for the next minute: its inertia. */
  readonly memory: number
  /** Where the value drifts while the compressor rests, against its mean, and how fast, minutes. */
  readonly idleShift: number
  readonly idleMinutes: number
  readonly runMinutes: number
}

function point(
  sensor: string,
  [mean, std, jitter, perKelvin, memory]: readonly [number, number, number, number, number],
  [idleShift, idleMinutes, runMinutes]: readonly [number, number, number] = [0, 1, 1],
): OperatingPoint {
  return { sensor, mean, std, jitter, perKelvin, memory, idleShift, idleMinutes, runMinutes }
}

/** Physics of each gauge: means and deviations of MON-63, the rest plausible for a cabinet. */
export const operatingPoints: readonly OperatingPoint[] = [
  point('temperature_evaporator', [-25, 3, 0.15, 0.1, 0.985], [4.5, 12, 4]),
  point('temperature_condenser', [40, 5, 0.3, 0.5, 0.95], [-12, 20, 3]),
  point('temperature_ambient', [22, 4, 0.1, 0, 0.998]),
  point('temperature_discharge', [70, 8, 0.5, 0.6, 0.95], [-32, 18, 3]),
  point('temperature_suction', [-10, 3, 0.2, 0.1, 0.95], [4, 15, 4]),
  point('pressure_high_side', [1500, 150, 8, 12, 0.95], [-600, 15, 2]),
  point('pressure_low_side', [200, 30, 2, 4, 0.99], [200, 10, 0.4]),
  point('current_compressor', [12, 2, 0.2, 0.1, 0.95]),
  point('vibration_compressor', [3, 0.8, 0.3, 0, 0.9]),
  point('humidity', [45, 10, 0.5, 0, 0.97], [2, 10, 10]),
  point('superheat', [8, 2, 0.3, 0, 0.95], [2, 8, 3]),
  point('subcooling', [5, 1.5, 0.2, 0, 0.95], [-3, 6, 3]),
]

/** A full cycle of an average unit, minutes, MON-63. */
const nominalRunMinutes = 20
const nominalIdleMinutes = 10

/** Deviation of the ambient temperature within a device's day, K. */
const ambientDeviation = 3.6

/** Deviation from the running level at a start, and the share of it left a minute later. */
function atStart({ idleShift, idleMinutes, runMinutes }: OperatingPoint) {
  return {
    deviation: idleShift * (1 - Math.exp(-nominalIdleMinutes / idleMinutes)),
    kept: Math.exp(-1 / runMinutes),
  }
}

/** What the first minutes after a start add to the mean of a running gauge. */
function startShift(entry: OperatingPoint): number {
  const { deviation, kept } = atStart(entry)
  return (deviation * kept) / (1 - kept) / nominalRunMinutes
}

/**
 * Covariance of two running gauges that comes from what drives them both, the room and the minutes
 * after a start. It is part of "normal running", so the random wander makes room for it.
 */
function drivenCovariance(left: OperatingPoint, right: OperatingPoint): number {
  const [a, b] = [atStart(left), atStart(right)]
  const kept = a.kept * b.kept
  const start = (a.deviation * b.deviation * kept) / (1 - kept) / nominalRunMinutes
  const room = left.perKelvin * right.perKelvin * ambientDeviation ** 2
  return start - startShift(left) * startShift(right) + room
}

/** Level around which a gauge wanders while running. */
export const runningLevel: Float64Array = Float64Array.from(
  operatingPoints,
  (entry) => entry.mean - startShift(entry),
)

/** Daily wave of the room, half the difference of warmest and coolest hour, K. */
export const dayAmplitude = 3

/** Standard deviation of the slow random wander of each gauge. */
export const wanderDeviation: Float64Array = Float64Array.from(operatingPoints, (entry, index) => {
  const wave = index === gauge.ambient ? dayAmplitude ** 2 / 2 : 0
  const driven = wave + drivenCovariance(entry, entry)
  return Math.sqrt(Math.max(0.01, entry.std ** 2 - entry.jitter ** 2 - driven))
})

/**
 * Correlation of the draws of two gauges that gives the whole signals the one asked for: what
 * drives both is already there, and unequal inertia (two autoregressions) weakens it.
 */
export function drawCorrelation(left: number, right: number, correlation: number): number {
  const [a, b] = [operatingPoints[left]!, operatingPoints[right]!]
  const wanted = correlation * a.std * b.std - drivenCovariance(a, b)
  const kept = Math.sqrt((1 - a.memory ** 2) * (1 - b.memory ** 2)) / (1 - a.memory * b.memory)
  return Math.min(0.97, wanted / (wanderDeviation[left]! * wanderDeviation[right]! * kept))
}

/** Share of a gap closed within a minute, for a time constant in minutes. */
function perMinute(minutes: number): number {
  return 1 - Math.exp(-1 / minutes)
}

export const idleShift: Float64Array = Float64Array.from(operatingPoints, (e) => e.idleShift)
export const idleRate: Float64Array = Float64Array.from(operatingPoints, (e) =>
  perMinute(e.idleMinutes),
)
export const runRate: Float64Array = Float64Array.from(operatingPoints, (e) =>
  perMinute(e.runMinutes),
)
export const perKelvin: Float64Array = Float64Array.from(operatingPoints, (e) => e.perKelvin)
export const jitter: Float64Array = Float64Array.from(operatingPoints, (e) => e.jitter)
export const memory: Float64Array = Float64Array.from(operatingPoints, (e) => e.memory)
