import type { FeatureColumn } from '../contracts/index.ts'

/** How values of a feature are shown: scaled to a readable unit with the digits that mean something. */
export type ValueFormat = {
  readonly unit: string
  readonly factor: number
  readonly decimals: number
}

const maxDecimals = 3

function decimalsFor(resolution: number): number {
  // The small term keeps 0.1, which is a little less than a tenth in binary, at one digit.
  return Math.min(maxDecimals, Math.max(0, Math.ceil(-Math.log10(resolution) - 1e-9)))
}

/** Shares are shown in percent and slopes per hour; the rest keeps its unit. */
export function formatOf(feature: FeatureColumn): ValueFormat {
  if (feature.source.kind === 'aggregate') {
    const { sensor, aggregate } = feature.source
    if (aggregate === 'fraction') return { unit: '%', factor: 100, decimals: 0 }
    if (aggregate === 'slope') {
      return { unit: `${sensor.unit}/h`, factor: 60, decimals: decimalsFor(sensor.resolution) }
    }
  }
  return { unit: feature.unit, factor: 1, decimals: decimalsFor(feature.resolution) }
}

/** A number with a real minus sign and without "minus zero". */
export function formatNumber(value: number, decimals: number): string {
  const text = value.toFixed(decimals)
  if (Number(text) === 0) return text.replace('-', '')
  return text.replace('-', '\u2212')
}

/** A value with its unit: `−14.2 °C`. */
export function formatValue(value: number, format: ValueFormat): string {
  const text = formatNumber(value * format.factor, format.decimals)
  return format.unit === '' ? text : `${text} ${format.unit}`
}

/** What is usual: `−24.8 ± 0.6 °C`. A spread below the last digit shown is left out. */
export function formatNormal(median: number, scale: number, format: ValueFormat): string {
  const spread = formatNumber(Math.abs(scale) * format.factor, format.decimals)
  if (Number(spread) === 0) return formatValue(median, format)
  const middle = formatNumber(median * format.factor, format.decimals)
  const text = `${middle} ± ${spread}`
  return format.unit === '' ? text : `${text} ${format.unit}`
}
