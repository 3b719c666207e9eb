/** Largest window whose kernels are all kept; wider ones are formed one at a time. */
const MAX_KEPT_WIDTH = 1024

/** A weight below this share of the bandwidth counts fully, above the other not at all. */
const FULL_WEIGHT_SHARE = 0.001
const NO_WEIGHT_SHARE = 0.999

/** A local line is fitted only if the window's weight spreads over this share of the series. */
const LINE_SPREAD_SHARE = 0.001

/**
 * Weights of local regression at equally spaced points. They depend only on where in its window a
 * point lies (`place`, from −1, one before the window, to `width`, one behind it), so one small
 * table serves every point of every series of this length.
 */
export type LoessKernel = {
  readonly pointCount: number
  readonly span: number
  readonly degree: 0 | 1
  /** Points in a window: the span, or all points of a shorter series. */
  readonly width: number
  /** Points left of an interior point. */
  readonly half: number
  /** Variance of window positions below which no line is fitted. */
  readonly minSpread: number
  /** Tricube weights by place: rows of `width`, or a single row of the place last asked for. */
  readonly tricube: Float64Array
  /** Weights of the fitted value without case weights, laid out as `tricube`. */
  readonly smoothing: Float64Array
  /** The place that a single-row table holds now; −2 for none. */
  readonly heldPlace: Int32Array
}

/**
 * Prepares local regression with tricube weights.
 * @param pointCount points of the series, ≥ 1
 * @param span points in a window, odd
 * @param degree 0 for a local mean, 1 for a local line
 * Cost O(width²), or O(width) above 1,024. Source: Cleveland et al. 1990, the NETLIB routine `est`.
 */
export function loessKernel(pointCount: number, span: number, degree: 0 | 1): LoessKernel {
  const width = Math.min(span, pointCount)
  const rowCount = width > MAX_KEPT_WIDTH ? 1 : width + 2
  const kernel: LoessKernel = {
    pointCount,
    span,
    degree,
    width,
    half: (span - 1) / 2,
    minSpread: (LINE_SPREAD_SHARE * (pointCount - 1)) ** 2,
    tricube: new Float64Array(rowCount * width),
    smoothing: new Float64Array(rowCount * width),
    heldPlace: new Int32Array([-2]),
  }
  for (let row = 0; row < rowCount && rowCount > 1; row++) fillPlace(kernel, row - 1, row * width)
  return kernel
}

/** First point of the window of point `index`: centred where possible. */
export function windowStart(kernel: LoessKernel, index: number): number {
  const start = index - kernel.half
  const last = kernel.pointCount - kernel.width
  return start < 0 ? 0 : start > last ? last : start
}

/** Offset of the weights of a place in `tricube` and `smoothing`. */
export function kernelRow(kernel: LoessKernel, place: number): number {
  if (kernel.tricube.length > kernel.width) return (place + 1) * kernel.width
  if (kernel.heldPlace[0] !== place) {
    fillPlace(kernel, place, 0)
    kernel.heldPlace[0] = place
  }
  return 0
}

function fillPlace(kernel: LoessKernel, place: number, row: number): void {
  const { pointCount, span, width, tricube, smoothing, degree, minSpread } = kernel
  const widened = span > pointCount ? Math.floor((span - pointCount) / 2) : 0
  const bandwidth = Math.max(place, width - 1 - place) + widened
  let total = 0
  let first = 0
  let second = 0
  for (let i = 0; i < width; i++) {
    const offset = i - place
    const weight = tricubeWeight(Math.abs(offset), bandwidth)
    tricube[row + i] = weight
    total += weight
    first += weight * offset
    second += weight * offset * offset
  }
  const mean = first / total
  const spread = second / total - mean * mean
  const slope = degree === 1 && bandwidth > 0 && spread > minSpread ? -mean / spread : 0
  for (let i = 0; i < width; i++) {
    const share = tricube[row + i]! / total
    // Without any weight (a window of one point, seen from beside it) there is no fitted value.
    smoothing[row + i] = total > 0 ? share * (1 + slope * (i - place - mean)) : Number.NaN
  }
}

function tricubeWeight(distance: number, bandwidth: number): number {
  if (distance > NO_WEIGHT_SHARE * bandwidth) return 0
  if (distance <= FULL_WEIGHT_SHARE * bandwidth) return 1
  const ratio = distance / bandwidth
  const rest = 1 - ratio * ratio * ratio
  return rest * rest * rest
}
