const pair = new Float64Array(1)
const pairWords = new BigInt64Array(pair.buffer)
const single = new Float32Array(1)
const singleWord = new Int32Array(single.buffer)

/**
 * The threshold on float64 values that parts them as a float32 threshold parts their float32
 * roundings: x < result exactly when fround(x) < threshold. So a model learned on float32 values
 * (xgboost) routes every float64 row to the same leaf.
 * @param threshold a finite float32 value
 */
export function doubleThreshold(threshold: number): number {
  const below = stepFloat32(threshold, -1)
  if (!Number.isFinite(below)) return threshold
  // Half-way is exact in float64; it rounds to the neighbour with the even last bit.
  const middle = below / 2 + threshold / 2
  single[0] = threshold
  const isEven = (singleWord[0]! & 1) === 0
  return isEven ? middle : stepFloat64Up(middle)
}

/**
 * The float32 threshold that parts float32 values as a float64 threshold does: for float32 x,
 * x < threshold exactly when x < result.
 */
export function singleThreshold(threshold: number): number {
  const rounded = Math.fround(threshold)
  return rounded >= threshold ? rounded : stepFloat32(rounded, 1)
}

/** The float32 after (1) or before (−1) a float32 value. */
function stepFloat32(value: number, direction: 1 | -1): number {
  single[0] = value
  if (single[0] === 0) {
    singleWord[0] = 1
    return direction * single[0]
  }
  // Bits of one sign rise with the magnitude.
  singleWord[0] = singleWord[0]! + (single[0] > 0 ? direction : -direction)
  return single[0]
}

function stepFloat64Up(value: number): number {
  pair[0] = value
  if (pair[0] === 0) return Number.MIN_VALUE
  pairWords[0] = pairWords[0]! + (pair[0] > 0 ? 1n : -1n)
  return pair[0]
}
