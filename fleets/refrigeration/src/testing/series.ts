import type { DeviceRow, FaultPlan } from 'isotherm/contracts'
import { simulator } from '../simulator/index.ts'

const minuteMs = 60_000

/** One parsed message of a simulated device. */
export type Observation = {
  readonly minute: number
  readonly timeMs: number
  readonly delayMs: number
  readonly deviceMs: number
  readonly sentMs: number
  readonly values: Readonly<Record<string, number | boolean | null | undefined>>
}

/** Messages of a device over some minutes, parsed; silent minutes are left out. */
export function observe(options: {
  readonly device: DeviceRow
  readonly seed: number
  readonly startMs: number
  readonly minutes: number
  readonly faults?: readonly FaultPlan[]
  readonly nullRate?: number
}): readonly Observation[] {
  const { device, seed, startMs, minutes, faults = [], nullRate = 0 } = options
  const simulated = simulator.device({ device, seed, startMs, faults, nullRate })
  return Array.from({ length: minutes }, (_, minute) => {
    const message = simulated.step(startMs + minute * minuteMs)
    if (message === undefined) return undefined
    const { timestamp, sent_at, readings } = JSON.parse(message.payload)
    const { timeMs, delayMs } = message
    const clocks = { deviceMs: Date.parse(timestamp), sentMs: Date.parse(sent_at) }
    return { minute, timeMs, delayMs, ...clocks, values: readings }
  }).filter((observation) => observation !== undefined)
}

/** Numbers of a sensor, without nulls. */
export function numbers(observations: readonly Observation[], sensor: string): readonly number[] {
  return observations
    .map(({ values }) => values[sensor])
    .filter((value): value is number => typeof value === 'number')
}

/** Arithmetic mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Standard deviation of a population. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)))
}

/** Pearson correlation of two sensors over readings that have both. */
export function correlation(
  observations: readonly Observation[],
  left: string,
  right: string,
): number {
  const pairs = observations.filter(
    ({ values }) => typeof values[left] === 'number' && typeof values[right] === 'number',
  )
  const [a, b] = [numbers(pairs, left), numbers(pairs, right)]
  const [centreA, centreB] = [mean(a), mean(b)]
  const products = a.map((value, index) => (value - centreA) * ((b[index] ?? 0) - centreB))
  return mean(products) / (deviation(a) * deviation(b))
}

/** True while the compressor runs, MON-63. */
export function isRunning({ values }: Observation): boolean {
  return Number(values.current_compressor ?? 0) >= 0.5
}

/** Running readings at least 45 min away from the end of a defrost: normal running. */
export function normalRunning(observations: readonly Observation[]): readonly Observation[] {
  let sinceDefrost = 1000
  return observations.filter((observation) => {
    sinceDefrost = observation.values.defrost_cycle === true ? 0 : sinceDefrost + 1
    return sinceDefrost > 45 && isRunning(observation)
  })
}
