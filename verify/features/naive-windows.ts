import type { Reading } from './random-readings.ts'

/** Columns of FEA section 3 with the sensor each comes from, copied from the specification. */
const sensorColumns: readonly (readonly [sensor: string, short: string, ...names: string[]])[] = [
  ['temperature_evaporator', 'temp_evaporator', 'mean', 'std', 'min', 'max', 'slope'],
  ['temperature_condenser', 'temp_condenser', 'mean', 'std', 'min', 'max', 'slope'],
  ['temperature_ambient', 'temp_ambient', 'mean', 'std'],
  ['temperature_discharge', 'temp_discharge', 'mean', 'std', 'max'],
  ['temperature_suction', 'temp_suction', 'mean', 'std'],
  ['pressure_high_side', 'pressure_high', 'mean', 'std', 'max'],
  ['pressure_low_side', 'pressure_low', 'mean', 'std', 'min'],
  ['current_compressor', 'current_compressor', 'mean', 'std', 'max'],
  ['vibration_compressor', 'vibration_compressor', 'mean', 'std', 'max', 'p95'],
  ['humidity', 'humidity', 'mean', 'std'],
  ['superheat', 'superheat', 'mean', 'std'],
  ['subcooling', 'subcooling', 'mean', 'std'],
  ['door_open_close', 'door_open', 'fraction'],
  ['defrost_cycle', 'defrost_active', 'fraction'],
]

type Values = Readonly<Record<string, number | null>>

/** Numbers added up one by one; null for none. */
function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length
}

function aggregate(
  name: string,
  points: readonly { readonly x: number; readonly y: number }[],
): number | null {
  const y = points.map((point) => point.y)
  const centre = mean(y)
  if (centre === null) return null
  switch (name) {
    case 'mean':
    case 'fraction':
      return centre
    case 'min':
      return Math.min(...y)
    case 'max':
      return Math.max(...y)
    case 'std':
      if (y.length < 2) return null
      return Math.sqrt(y.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (y.length - 1))
    case 'p95': {
      const sorted = y.toSorted((a, b) => a - b)
      const rank = 0.95 * (sorted.length - 1)
      const low = sorted[Math.floor(rank)] ?? 0
      return low + ((sorted[Math.ceil(rank)] ?? low) - low) * (rank % 1)
    }
    case 'slope': {
      const centreX = mean(points.map(({ x }) => x)) ?? 0
      const sxx = points.reduce((sum, { x }) => sum + (x - centreX) ** 2, 0)
      const sxy = points.reduce((sum, p) => sum + (p.x - centreX) * (p.y - centre), 0)
      return points.length < 2 || sxx === 0 ? null : sxy / sxx
    }
    default:
      throw new Error(`FEA-18 has no aggregation ${name}`)
  }
}

const minus = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b)

/** The 45 features of one window, straight from the text of FEA-18 to FEA-20. */
export function naiveWindow(readings: readonly Reading[], startMs: number): Values {
  const values: Record<string, number | null> = {}
  let nulls = 0
  for (const [sensor, short, ...names] of sensorColumns) {
    const points = readings.flatMap(({ at, values: { [sensor]: value } }) =>
      value === null || value === undefined
        ? []
        : [{ x: (at - startMs) / 60_000, y: Number(value) }],
    )
    nulls += readings.length - points.length
    for (const name of names) values[`${short}_${name}`] = aggregate(name, points)
  }
  const get = (name: string) => values[name] ?? null
  const [high, low] = [get('pressure_high_mean'), get('pressure_low_mean')]
  values.pressure_ratio = high === null || low === null || low <= 0 ? null : high / low
  const spread = minus(get('temp_condenser_mean'), get('temp_evaporator_mean'))
  values.temp_spread_evap_cond = spread
  values.temp_spread_discharge_suction = minus(get('temp_discharge_mean'), get('temp_suction_mean'))
  const current = get('current_compressor_mean')
  values.current_per_temp_spread =
    current === null || spread === null || spread < 1 ? null : current / spread
  values.reading_count = readings.length
  values.sensor_completeness = 1 - nulls / (14 * readings.length)
  values.quality_flag_count = readings.filter(({ isFlagged }) => isFlagged).length
  return values
}
