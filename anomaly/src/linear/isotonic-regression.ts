import { invalidOption, notFinite, shapeMismatch, tooFewRows } from '../errors.ts'

/** A rising (or falling) piecewise linear function. Plain data. */
export type IsotonicRegression = {
  readonly kind: 'isotonic_regression'
  readonly stateVersion: 1
  /** Rising inputs; outside them the function is constant. */
  readonly inputs: Float64Array
  /** Value at each input; between two, on the line. */
  readonly outputs: Float64Array
}

/** Options of an isotonic regression. */
export type IsotonicOptions = {
  /** One weight > 0 per pair, default 1. */
  readonly weights?: ArrayLike<number>
  /** Default `'rising'`. */
  readonly direction?: 'rising' | 'falling'
}

/**
 * Least-squares fit of a monotone function. Pairs with the same input are first made one.
 * @param inputs finite, any order, e.g. scores
 * @param targets one finite value per input, e.g. labels 0 and 1
 * @throws SHAPE_MISMATCH, TOO_FEW_ROWS, NOT_FINITE, INVALID_OPTION
 * Cost O(n log n). Source: pool adjacent violators (Ayer et al. 1955); equal to scikit-learn's
 * IsotonicRegression(out_of_bounds='clip').
 */
export function fitIsotonicRegression(
  inputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  { weights, direction = 'rising' }: IsotonicOptions = {},
): IsotonicRegression {
  if (targets.length !== inputs.length) {
    throw shapeMismatch('targets.length', inputs.length, targets.length)
  }
  if (weights !== undefined && weights.length !== inputs.length) {
    throw shapeMismatch('weights.length', inputs.length, weights.length)
  }
  if (inputs.length === 0) throw tooFewRows('isotonic regression', 1, 0)
  requirePairs(inputs, targets, weights)
  const sign = direction === 'rising' ? 1 : -1
  const blocks = mergeEqualInputs(inputs, targets, weights, sign)
  const fitted = poolViolators(blocks)
  return thinned(blocks.inputs, fitted, sign)
}

/**
 * Value of the function at each input; NaN stays NaN.
 * @param out receives one value per input; may be `inputs` itself
 * @throws SHAPE_MISMATCH
 * Cost O(n log steps).
 */
export function evaluateIsotonic(
  model: IsotonicRegression,
  inputs: Float64Array,
  out: Float64Array = new Float64Array(inputs.length),
): Float64Array {
  if (out.length !== inputs.length) throw shapeMismatch('out.length', inputs.length, out.length)
  for (let i = 0; i < inputs.length; i++) out[i] = valueAt(model, inputs[i]!)
  return out
}

function valueAt({ inputs, outputs }: IsotonicRegression, input: number): number {
  if (Number.isNaN(input)) return Number.NaN
  const last = inputs.length - 1
  if (input <= inputs[0]!) return outputs[0]!
  if (input >= inputs[last]!) return outputs[last]!
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (inputs[middle]! <= input) low = middle
    else high = middle
  }
  const slope = (outputs[high]! - outputs[low]!) / (inputs[high]! - inputs[low]!)
  return outputs[low]! + slope * (input - inputs[low]!)
}

/** Distinct inputs with the weighted mean of their targets, times the sign of the direction. */
type Blocks = {
  readonly inputs: Float64Array
  readonly means: Float64Array
  readonly weights: Float64Array
}

function mergeEqualInputs(
  inputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  sign: number,
): Blocks {
  const order = new Uint32Array(inputs.length)
  for (let i = 0; i < order.length; i++) order[i] = i
  order.sort((a, b) => inputs[a]! - inputs[b]! || a - b)
  const blocks = {
    inputs: new Float64Array(inputs.length),
    means: new Float64Array(inputs.length),
    weights: new Float64Array(inputs.length),
  }
  let count = 0
  for (let start = 0; start < order.length; ) {
    const input = inputs[order[start]!]!
    let sum = 0
    let weight = 0
    let end = start
    for (; end < order.length && inputs[order[end]!] === input; end++) {
      const pairWeight = weights?.[order[end]!] ?? 1
      sum += pairWeight * targets[order[end]!]!
      weight += pairWeight
    }
    blocks.inputs[count] = input
    blocks.means[count] = (sign * sum) / weight
    blocks.weights[count] = weight
    count++
    start = end
  }
  return {
    inputs: blocks.inputs.subarray(0, count),
    means: blocks.means.subarray(0, count),
    weights: blocks.weights.subarray(0, count),
  }
}

/** Rising values closest to the means: a stack of pools, each with the mean of its blocks. */
function poolViolators({ means, weights }: Blocks): Float64Array {
  const poolMeans = new Float64Array(means.length)
  const poolWeights = new Float64Array(means.length)
  const poolEnds = new Uint32Array(means.length)
  let count = 0
  for (let i = 0; i < means.length; i++) {
    let mean = means[i]!
    let weight = weights[i]!
    while (count > 0 && poolMeans[count - 1]! >= mean) {
      count--
      const merged = poolWeights[count]! + weight
      mean = (poolMeans[count]! * poolWeights[count]! + mean * weight) / merged
      weight = merged
    }
    poolMeans[count] = mean
    poolWeights[count] = weight
    poolEnds[count] = i + 1
    count++
  }
  const fitted = new Float64Array(means.length)
  let start = 0
  for (let pool = 0; pool < count; pool++) {
    fitted.fill(poolMeans[pool]!, start, poolEnds[pool]!)
    start = poolEnds[pool]!
  }
  return fitted
}

/** Leaves out the inside of flat stretches: the line through their ends says the same. */
function thinned(inputs: Float64Array, fitted: Float64Array, sign: number): IsotonicRegression {
  const last = inputs.length - 1
  const isKept = (_: number, i: number) =>
    i === 0 || i === last || fitted[i] !== fitted[i - 1] || fitted[i] !== fitted[i + 1]
  return {
    kind: 'isotonic_regression',
    stateVersion: 1,
    inputs: inputs.filter(isKept),
    outputs: fitted.filter(isKept).map((value) => sign * value),
  }
}

function requirePairs(
  inputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
): void {
  for (let i = 0; i < inputs.length; i++) {
    if (!Number.isFinite(inputs[i])) throw notFinite('isotonic regression', i, 'inputs', inputs[i]!)
    if (!Number.isFinite(targets[i])) {
      throw notFinite('isotonic regression', i, 'targets', targets[i]!)
    }
    const weight = weights?.[i] ?? 1
    if (!(weight > 0 && weight < Number.POSITIVE_INFINITY)) {
      throw invalidOption(`weights[${i}]`, 'a finite number > 0', weight)
    }
  }
}
