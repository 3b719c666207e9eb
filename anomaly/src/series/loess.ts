import { kernelRow, type LoessKernel, windowStart } from './loess-kernel.ts'

/** Local regression prepared for series of one length. */
export type LoessSmoother = {
  readonly kernel: LoessKernel
  /** The fit is made at every `jump`-th point and linear between. */
  readonly jump: number
  /** Scratch: case weight times value at each point. */
  readonly weighted: Float64Array
}

/** Joins a kernel with a jump and its scratch memory. */
export function loessSmoother(kernel: LoessKernel, jump: number): LoessSmoother {
  return { kernel, jump, weighted: new Float64Array(kernel.pointCount) }
}

/**
 * Smooths `values[0, pointCount)` into `out[outStart…]`.
 * @param caseWeights of the points, or undefined where all count alike; a point whose window has
 *   no weight at all keeps its value
 * Cost O(points · width); interior points share one kernel.
 */
export function smoothInto(
  smoother: LoessSmoother,
  values: Float64Array,
  caseWeights: Float64Array | undefined,
  out: Float64Array,
  outStart: number,
): void {
  const { kernel, jump, weighted } = smoother
  const { pointCount } = kernel
  if (pointCount < 2) {
    out[outStart] = values[0]!
    return
  }
  if (caseWeights !== undefined) {
    for (let i = 0; i < pointCount; i++) weighted[i] = caseWeights[i]! * values[i]!
  }
  const step = Math.min(jump, pointCount - 1)
  if (step > 1) {
    smoothWithJumps(smoother, step, values, caseWeights, out, outStart)
    return
  }
  const interiorStart = Math.min(kernel.half, pointCount)
  const interiorEnd = Math.max(interiorStart, pointCount - kernel.half)
  for (let i = 0; i < interiorStart; i++) {
    out[outStart + i] = fittedAt(smoother, i, windowStart(kernel, i), values, caseWeights)
  }
  if (caseWeights === undefined) {
    smoothInterior(kernel, interiorStart, interiorEnd, values, out, outStart)
  } else {
    smoothWeighted(smoother, interiorStart, interiorEnd, values, caseWeights, out, outStart)
  }
  for (let i = interiorEnd; i < pointCount; i++) {
    out[outStart + i] = fittedAt(smoother, i, windowStart(kernel, i), values, caseWeights)
  }
}

/**
 * Fitted value at point `index`, which may lie one point outside the window that starts at
 * `start`; the value nearest to it where the window has no weight. `weighted` must be current.
 */
export function fittedAt(
  { kernel, weighted }: LoessSmoother,
  index: number,
  start: number,
  values: Float64Array,
  caseWeights: Float64Array | undefined,
): number {
  const fitted =
    caseWeights === undefined
      ? plainFit(kernel, index - start, start, values)
      : weightedFit(kernel, index - start, start, caseWeights, weighted)
  return Number.isNaN(fitted) && index >= 0 && index < kernel.pointCount ? values[index]! : fitted
}

function plainFit(kernel: LoessKernel, place: number, start: number, values: Float64Array): number {
  const { smoothing, width } = kernel
  const row = kernelRow(kernel, place)
  let sum = 0
  for (let i = 0; i < width; i++) sum += smoothing[row + i]! * values[start + i]!
  return sum
}

function weightedFit(
  kernel: LoessKernel,
  place: number,
  start: number,
  caseWeights: Float64Array,
  weighted: Float64Array,
): number {
  const { tricube, width } = kernel
  const row = kernelRow(kernel, place)
  let total = 0
  let first = 0
  let second = 0
  let value = 0
  let tilted = 0
  for (let i = 0; i < width; i++) {
    const offset = i - place
    const weight = tricube[row + i]!
    const caseWeight = weight * caseWeights[start + i]!
    const product = weight * weighted[start + i]!
    total += caseWeight
    first += caseWeight * offset
    second += caseWeight * offset * offset
    value += product
    tilted += product * offset
  }
  return lineAtZero(kernel, total, first, second, value, tilted)
}

/** Value at offset 0 of the local line (or mean) with these weighted sums; NaN without weight. */
function lineAtZero(
  { degree, minSpread }: LoessKernel,
  total: number,
  first: number,
  second: number,
  value: number,
  tilted: number,
): number {
  if (total <= 0) return Number.NaN
  const level = value / total
  if (degree === 0) return level
  const mean = first / total
  const spread = second / total - mean * mean
  if (!(spread > minSpread)) return level
  return level - (mean / spread) * (tilted / total - mean * level)
}

/** Interior points without case weights: one symmetric kernel, both sides added first. */
function smoothInterior(
  kernel: LoessKernel,
  start: number,
  end: number,
  values: Float64Array,
  out: Float64Array,
  outStart: number,
): void {
  if (start >= end) return
  const { smoothing, half } = kernel
  const centre = kernelRow(kernel, half) + half
  // The outermost weights of an interior window are zero: 0.999 of the bandwidth is their bound.
  const reach = half - 1
  const atCentre = smoothing[centre]!
  for (let i = start; i < end; i++) {
    let sum = atCentre * values[i]!
    for (let d = 1; d <= reach; d++)
      sum += smoothing[centre + d]! * (values[i - d]! + values[i + d]!)
    out[outStart + i] = sum
  }
}

/** Interior points with case weights: even and odd sums over the symmetric kernel. */
function smoothWeighted(
  { kernel, weighted }: LoessSmoother,
  start: number,
  end: number,
  values: Float64Array,
  caseWeights: Float64Array,
  out: Float64Array,
  outStart: number,
): void {
  if (start >= end) return
  const { tricube, half } = kernel
  const centre = kernelRow(kernel, half) + half
  const reach = half - 1
  for (let i = start; i < end; i++) {
    let total = caseWeights[i]!
    let first = 0
    let second = 0
    let value = weighted[i]!
    let tilted = 0
    for (let d = 1; d <= reach; d++) {
      const weight = tricube[centre + d]!
      const right = caseWeights[i + d]!
      const left = caseWeights[i - d]!
      const rightValue = weighted[i + d]!
      const leftValue = weighted[i - d]!
      const pair = weight * (right + left)
      const far = weight * d
      total += pair
      second += pair * d * d
      first += far * (right - left)
      value += weight * (rightValue + leftValue)
      tilted += far * (rightValue - leftValue)
    }
    const fitted = lineAtZero(kernel, total, first, second, value, tilted)
    out[outStart + i] = Number.isNaN(fitted) ? values[i]! : fitted
  }
}

/** Fits at every `step`-th point and at the last, and draws straight lines between them. */
function smoothWithJumps(
  smoother: LoessSmoother,
  step: number,
  values: Float64Array,
  caseWeights: Float64Array | undefined,
  out: Float64Array,
  outStart: number,
): void {
  const { kernel } = smoother
  const last = kernel.pointCount - 1
  let fitted = 0
  let start = 0
  for (let i = 0; i <= last; i += step) {
    start = windowStart(kernel, i)
    out[outStart + i] = fittedAt(smoother, i, start, values, caseWeights)
    if (i > 0) drawLine(out, outStart + fitted, outStart + i)
    fitted = i
  }
  if (fitted === last) return
  // The reference routine keeps the window of the fit before for the last point.
  out[outStart + last] = fittedAt(smoother, last, start, values, caseWeights)
  drawLine(out, outStart + fitted, outStart + last)
}

function drawLine(out: Float64Array, from: number, to: number): void {
  const slope = (out[to]! - out[from]!) / (to - from)
  for (let i = from + 1; i < to; i++) out[i] = out[from]! + slope * (i - from)
}
