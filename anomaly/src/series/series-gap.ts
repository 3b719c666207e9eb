import { AnomalyError, tooFewRows } from '../errors.ts'

/**
 * Marks missing (NaN) points with 1; undefined if there is none.
 * @throws NOT_FINITE on ±∞, TOO_FEW_ROWS if fewer than two points are present
 * Cost O(n).
 */
export function missingPoints(what: string, values: Float64Array): Uint8Array | undefined {
  let marks: Uint8Array | undefined
  let presentCount = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) {
      marks ??= new Uint8Array(values.length)
      marks[i] = 1
    } else {
      if (!Number.isFinite(value)) throw infinitePoint(what, i, value)
      presentCount++
    }
  }
  if (presentCount < 2) throw tooFewRows(`${what} (present points)`, 2, presentCount)
  return marks
}

/**
 * A copy with straight lines over missing (NaN) points; before the first and after the last
 * present point their value holds. A series without any present point stays as it is.
 * Cost O(n).
 */
export function withLinesOverGaps(values: Float64Array): Float64Array {
  const filled = values.slice()
  let previous = -1
  for (let i = 0; i <= filled.length; i++) {
    if (i < filled.length && Number.isNaN(filled[i]!)) continue
    const left = previous >= 0 ? filled[previous]! : filled[i]!
    const right = i < filled.length ? filled[i]! : left
    for (let gap = previous + 1; gap < i; gap++) {
      filled[gap] =
        previous < 0 ? right : left + ((right - left) * (gap - previous)) / (i - previous)
    }
    previous = i
  }
  return filled
}

/** Length of the run of missing points that each point belongs to; 0 for a present point. */
export function gapLengths(values: Float64Array): Uint32Array {
  const lengths = new Uint32Array(values.length)
  let start = 0
  for (let i = 0; i <= values.length; i++) {
    if (i < values.length && Number.isNaN(values[i]!)) continue
    lengths.fill(i - start, start, i)
    start = i + 1
  }
  return lengths
}

function infinitePoint(what: string, index: number, found: number): AnomalyError {
  return new AnomalyError(
    'NOT_FINITE',
    `${what}: point ${index} is ${found}, expected a finite number, or NaN where it is missing`,
    { index, found },
  )
}
