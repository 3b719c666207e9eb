import type { Contributor } from 'isotherm/http'
import { numberText, valueText } from './number-text.ts'

type Normal = NonNullable<Contributor['normal']>

/** Where a value and its normal range lie on a bar from 0 to 1. */
export type NormalBar = {
  readonly bandStart: number
  readonly bandEnd: number
  readonly marker: number
  readonly isOutside: boolean
}

/** Margin beside the outermost mark, as a share of the bar. */
const margin = 0.08

/** Places value and normal range on one scale that shows both. */
export function normalBar(value: number, normal: Normal): NormalBar {
  const least = Math.min(value, normal.low)
  const most = Math.max(value, normal.high)
  const width = Math.max(most - least, normal.spread, Number.EPSILON)
  const middle = (least + most) / 2
  const place = (x: number) => 0.5 + ((x - middle) / width) * (1 - 2 * margin)
  return {
    bandStart: place(normal.low),
    bandEnd: place(normal.high),
    marker: place(value),
    isOutside: value < normal.low || value > normal.high,
  }
}

/** How many usual spreads a value lies from the median; negative below it. */
export function deviation(value: number, normal: Normal): number {
  return (value - normal.median) / normal.spread
}

const steps: readonly (readonly [atLeast: number, words: string])[] = [
  [8, 'far'],
  [3, 'clearly'],
  [0, 'slightly'],
]

/** `clearly above normal`: words for how far outside, no number that looks like a probability. */
export function deviationWords(value: number, normal: Normal): string {
  if (value >= normal.low && value <= normal.high) return 'in the normal range'
  const size = Math.abs(deviation(value, normal))
  const word = steps.find(([atLeast]) => size >= atLeast)?.[1] ?? 'slightly'
  return `${word} ${value > normal.median ? 'above' : 'below'} normal`
}

/** Distance to the normal range in the sensor's own unit: `+3.2 K`, empty inside it. */
export function excessText(value: number, normal: Normal, unit: string): string {
  const resolution = resolutionOf(normal)
  if (value > normal.high) return `+${valueText(value - normal.high, unit, resolution)}`
  if (value < normal.low) return `−${valueText(normal.low - value, unit, resolution)}`
  return ''
}

/** `6.1 to 8.9 A`. */
export function normalRangeText(normal: Normal, unit: string): string {
  const resolution = resolutionOf(normal)
  const low = numberText(normal.low, resolution)
  const high = numberText(normal.high, resolution)
  const range = low === high ? low : `${low} to ${high}`
  return unit === '' ? range : `${range} ${unit}`
}

/** A tenth of the usual spread is as fine as it is worth reading. */
export function resolutionOf(normal: Normal): number {
  return Math.max(normal.spread / 10, 1e-6)
}
