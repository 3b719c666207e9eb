import type { Reading } from './random-readings.ts'

type Point = { readonly at: number; readonly y: number }

function pointsOf(readings: readonly Reading[], sensor: string): readonly Point[] {
  return readings
    .toSorted((a, b) => a.at - b.at)
    .flatMap(({ at, values: { [sensor]: y } }) => (typeof y === 'number' ? [{ at, y }] : []))
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const std = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, y) => sum + (y - mean(values)) ** 2, 0) / (values.length - 1))

/** FEA-33: Pearson r of paired raw readings, null for < 30 pairs or a std < r. */
export function naiveCorrelation(
  readings: readonly Reading[],
  [left, leftFloor]: readonly [string, number],
  [right, rightFloor]: readonly [string, number],
): number | null {
  const pairs = readings.flatMap(({ values: { [left]: x, [right]: y } }) =>
    typeof x === 'number' && typeof y === 'number' ? [[x, y] as const] : [],
  )
  if (pairs.length < 30) return null
  const [x, y] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)]
  const [sx, sy, mx, my] = [std(x), std(y), mean(x), mean(y)]
  if (sx < leftFloor || sy < rightFloor) return null
  const covariance =
    pairs.reduce((sum, [a, b]) => sum + (a - mx) * (b - my), 0) / (pairs.length - 1)
  return covariance / (sx * sy)
}

/** FEA-38: times that current crosses up through 0.5 A. */
export function naiveStarts(readings: readonly Reading[]): number | null {
  const points = pointsOf(readings, 'current_compressor')
  if (points.length === 0) return null
  let starts = 0
  for (let i = 1; i < points.length; i++) {
    if ((points[i - 1]?.y ?? 0) < 0.5 && (points[i]?.y ?? 0) >= 0.5) starts++
  }
  return starts
}

/** One sample per minute (the mean if there are several), gaps of 1 or 2 interpolated, else null. */
function samples(points: readonly Point[], startMs: number, n: number): number[] | null {
  const byMinute = Map.groupBy(points, ({ at }) => Math.floor((at - startMs) / 60_000))
  const known = Array.from({ length: n }, (_, minute) => {
    const group = byMinute.get(minute)
    return group === undefined ? null : mean(group.map(({ y }) => y))
  })
  if (known.filter((y) => y === null).length > 0.2 * n) return null
  const filled: number[] = []
  for (let t = 0; t < n; t++) {
    const own = known[t] ?? null
    if (own !== null) {
      filled.push(own)
      continue
    }
    let [before, after] = [t, t]
    while (before >= 0 && known[before] === null) before--
    while (after < n && known[after] === null) after++
    const [low, high] = [known[before] ?? null, known[after] ?? null]
    if (low === null || high === null || after - before > 3) return null
    filled.push(low + ((high - low) * (t - before)) / (after - before))
  }
  return filled
}

/** The three spectral features of FEA-38. */
export function naiveSpectrum(
  readings: readonly Reading[],
  sensor: string,
  floor: number,
  startMs: number,
  n: number,
): readonly (number | null)[] {
  const y = samples(pointsOf(readings, sensor), startMs, n)
  if (y === null) return [null, null, null]
  const t = y.map((_, index) => index)
  const [meanT, meanY] = [mean(t), mean(y)]
  const slope =
    t.reduce((sum, x, i) => sum + (x - meanT) * ((y[i] ?? 0) - meanY), 0) /
    t.reduce((sum, x) => sum + (x - meanT) ** 2, 0)
  const rest = y.map((value, x) => value - meanY - slope * (x - meanT))
  if (std(rest) < floor) return [null, null, null]
  const hann = rest.map((value, x) => value * Math.sin((Math.PI * x) / n) ** 2)
  const power = Array.from({ length: n / 2 }, (_, index) => {
    const k = index + 1
    const re = hann.reduce((sum, v, x) => sum + v * Math.cos((2 * Math.PI * k * x) / n), 0)
    const im = hann.reduce((sum, v, x) => sum - v * Math.sin((2 * Math.PI * k * x) / n), 0)
    return (k === n / 2 ? 1 : 2) * (re ** 2 + im ** 2)
  })
  const total = power.reduce((a, b) => a + b, 0)
  const entropy = -power.reduce(
    (sum, p) => sum + (p > 0 ? (p / total) * Math.log(p / total) : 0),
    0,
  )
  let best = 2
  for (let k = 2; k <= n / 2; k++) if ((power[k - 1] ?? 0) > (power[best - 1] ?? 0)) best = k
  const short = power.filter((_, index) => (index + 1) / n >= 0.1 && (index + 1) / n <= 0.5)
  return [entropy / Math.log(n / 2), best / n, short.reduce((a, b) => a + b, 0) / total]
}
