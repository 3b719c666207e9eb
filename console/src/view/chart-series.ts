import type { AlertView, ReadingsView } from 'isotherm/http'

/** Aligned columns of one chart: seconds, mean, least, most. */
export type GaugeColumns = readonly [
  times: readonly number[],
  mean: readonly (number | null)[],
  min: readonly (number | null)[],
  max: readonly (number | null)[],
]

/** A span of time behind a chart, in seconds. */
export type Band = { readonly start: number; readonly end: number; readonly label: string }

/** A moment marked on a chart, in seconds. */
export type Mark = { readonly at: number; readonly severity: AlertView['severity'] }

/** More buckets than this without readings are a gap in the line, not a straight stroke. */
const gapBuckets = 2.5

/**
 * Series of one gauge. Single missing values are bridged, longer silence becomes a null row, so
 * that the line breaks there.
 */
export function gaugeColumns(readings: ReadingsView, sensor: string): GaugeColumns | undefined {
  const series = readings.series[sensor]
  if (series === undefined || series.kind !== 'gauge') return undefined
  const times: number[] = []
  const mean: (number | null)[] = []
  const min: (number | null)[] = []
  const max: (number | null)[] = []
  const limitS = readings.bucket_seconds * gapBuckets
  readings.times.forEach((timeMs, index) => {
    const value = series.mean[index]
    if (value === null || value === undefined) return
    const timeS = timeMs / 1000
    const before = times.at(-1)
    if (before !== undefined && timeS - before > limitS) {
      times.push(before + readings.bucket_seconds)
      mean.push(null)
      min.push(null)
      max.push(null)
    }
    times.push(timeS)
    mean.push(value)
    min.push(series.min[index] ?? value)
    max.push(series.max[index] ?? value)
  })
  return [times, mean, min, max]
}

/** True if the sensor has any value in the range. */
export function hasValues(readings: ReadingsView, sensor: string): boolean {
  const series = readings.series[sensor]
  return series?.count.some((count) => count > 0) ?? false
}

type Known = { readonly startS: number; readonly fraction: number }

/** Where in its bucket a state was true: next to its neighbour, else in the middle. */
function spanOf({ startS, fraction }: Known, widthS: number, isAfter: boolean, isBefore: boolean) {
  const lengthS = fraction * widthS
  if (isAfter) return { start: startS, end: startS + lengthS }
  const start = isBefore ? startS + widthS - lengthS : startS + (widthS - lengthS) / 2
  return { start, end: start + lengthS }
}

/**
 * Spans in which a boolean sensor was true. Each covers the share of its bucket, so that a door
 * opened for a minute does not darken an hour. A single missing bucket does not end a span.
 */
export function bandsOf(readings: ReadingsView, sensor: string, label: string): readonly Band[] {
  const series = readings.series[sensor]
  if (series === undefined || series.kind !== 'boolean') return []
  const widthS = readings.bucket_seconds
  const known = readings.times.flatMap((timeMs, index): Known[] => {
    const fraction = series.fraction[index]
    return fraction === null || fraction === undefined ? [] : [{ startS: timeMs / 1000, fraction }]
  })
  const isNear = (one: Known | undefined, next: Known | undefined) =>
    one !== undefined &&
    next !== undefined &&
    one.fraction > 0 &&
    next.fraction > 0 &&
    next.startS - one.startS <= widthS * gapBuckets
  const bands: { start: number; end: number; label: string }[] = []
  known.forEach((bucket, index) => {
    if (bucket.fraction <= 0) return
    const before = known[index - 1]
    const isAfter = isNear(before, bucket)
    const span = spanOf(bucket, widthS, isAfter, isNear(bucket, known[index + 1]))
    const last = bands.at(-1)
    const touches =
      last !== undefined && before !== undefined && last.end === before.startS + widthS
    if (isAfter && touches) last.end = span.end
    else bands.push({ ...span, label })
  })
  return bands
}

/** Steps of a boolean sensor: share of each bucket in which it was true. */
export function fractionColumns(
  readings: ReadingsView,
  sensor: string,
): readonly [readonly number[], readonly (number | null)[]] | undefined {
  const series = readings.series[sensor]
  if (series === undefined || series.kind !== 'boolean') return undefined
  return [readings.times.map((timeMs) => timeMs / 1000), series.fraction]
}

/** Moments at which unsuppressed alerts began. */
export function alertMarks(alerts: readonly AlertView[]): readonly Mark[] {
  return alerts
    .filter((alert) => !alert.suppressed)
    .map((alert) => ({ at: Date.parse(alert.first_detected_at) / 1000, severity: alert.severity }))
    .toSorted((a, b) => a.at - b.at)
}

/** The newest value of a gauge and when it was. */
export function newestValue(
  readings: ReadingsView,
  sensor: string,
): { readonly value: number; readonly atMs: number } | undefined {
  const series = readings.series[sensor]
  if (series === undefined) return undefined
  const values = series.kind === 'gauge' ? series.mean : series.fraction
  for (let index = values.length - 1; index >= 0; index--) {
    const value = values[index]
    const atMs = readings.times[index]
    if (value !== null && value !== undefined && atMs !== undefined) return { value, atMs }
  }
  return undefined
}
