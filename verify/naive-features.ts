/** A clean reading: when it was taken, when it arrived, its 14 values and whether it was flagged. */
export type NaiveReading = {
  readonly eventId: string
  readonly deviceId: string
  readonly takenMs: number
  readonly arrivedMs: number
  readonly values: Readonly<Record<string, number | boolean | null>>
  readonly flags: readonly string[]
}

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** Sensors, short names and aggregates of CON-3, written down from the specification. */
const sensors: readonly (readonly [string, string, string])[] = [
  ['temperature_evaporator', 'temp_evaporator', 'mean std min max slope'],
  ['temperature_condenser', 'temp_condenser', 'mean std min max slope'],
  ['temperature_ambient', 'temp_ambient', 'mean std'],
  ['temperature_discharge', 'temp_discharge', 'mean std max'],
  ['temperature_suction', 'temp_suction', 'mean std'],
  ['pressure_high_side', 'pressure_high', 'mean std max'],
  ['pressure_low_side', 'pressure_low', 'mean std min'],
  ['current_compressor', 'current_compressor', 'mean std max'],
  ['vibration_compressor', 'vibration_compressor', 'mean std max p95'],
  ['humidity', 'humidity', 'mean std'],
  ['superheat', 'superheat', 'mean std'],
  ['subcooling', 'subcooling', 'mean std'],
  ['door_open_close', 'door_open', 'fraction'],
  ['defrost_cycle', 'defrost_active', 'fraction'],
]

export const sensorNames: readonly string[] = sensors.map(([name]) => name)

type Point = readonly [minutes: number, value: number]

const mean = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

/** FEA-18, word by word, in two passes. */
function aggregate(kind: string, points: readonly Point[]): number | null {
  const values = points.map(([, value]) => value)
  const average = mean(values)
  if (average === null) return null
  switch (kind) {
    case 'min':
      return Math.min(...values)
    case 'max':
      return Math.max(...values)
    case 'std': {
      if (values.length < 2) return null
      const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0)
      return Math.sqrt(squares / (values.length - 1))
    }
    case 'p95': {
      const sorted = values.toSorted((a, b) => a - b)
      const rank = 0.95 * (sorted.length - 1)
      const low = sorted[Math.floor(rank)] ?? 0
      return low + (rank - Math.floor(rank)) * ((sorted[Math.ceil(rank)] ?? 0) - low)
    }
    case 'slope': {
      const middle = mean(points.map(([x]) => x)) ?? 0
      const sxx = points.reduce((sum, [x]) => sum + (x - middle) ** 2, 0)
      const sxy = points.reduce((sum, [x, y]) => sum + (x - middle) * (y - average), 0)
      return values.length < 2 || sxx === 0 ? null : sxy / sxx
    }
    default:
      return average
  }
}

/** The 45 stored features of a window from its readings (FEA section 3); an oracle, not a product. */
export function naiveFeatures(
  readings: readonly NaiveReading[],
): Readonly<Record<string, number | null>> {
  const features: Record<string, number | null> = {}
  for (const [name, short, kinds] of sensors) {
    const points = readings.flatMap(({ takenMs, values }): readonly Point[] => {
      const value = values[name] ?? null
      return value === null ? [] : [[(takenMs % dayMs) / minuteMs, Number(value)]]
    })
    for (const kind of kinds.split(' ')) features[`${short}_${kind}`] = aggregate(kind, points)
  }
  const of = (name: string) => features[name] ?? null
  const minus = (a: string, b: string) => {
    const [left, right] = [of(a), of(b)]
    return left === null || right === null ? null : left - right
  }
  const over = (a: string, b: string, isEnough: (b: number) => boolean) => {
    const [left, right] = [of(a), of(b)]
    return left === null || right === null || !isEnough(right) ? null : left / right
  }
  features.pressure_ratio = over('pressure_high_mean', 'pressure_low_mean', (b) => b > 0)
  features.temp_spread_evap_cond = minus('temp_condenser_mean', 'temp_evaporator_mean')
  features.temp_spread_discharge_suction = minus('temp_discharge_mean', 'temp_suction_mean')
  features.current_per_temp_spread = over(
    'current_compressor_mean',
    'temp_spread_evap_cond',
    (b) => b >= 1,
  )
  const completeness = readings.map(
    ({ values }) => 1 - sensorNames.filter((name) => (values[name] ?? null) === null).length / 14,
  )
  features.reading_count = readings.length
  features.sensor_completeness = mean(completeness)
  features.quality_flag_count = readings.filter(({ flags }) => flags.length > 0).length
  return features
}

/** Equal as the promise says: exactly, or within 1e-9 relative where sums round. */
export function isSame(a: number | null | undefined, b: number | null | undefined): boolean {
  if (a === null || a === undefined || b === null || b === undefined)
    return (a ?? null) === (b ?? null)
  // A variance near zero keeps the rounding of the squares it is the difference of.
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))
}
