import type { FeatureMatrix } from '../feature-matrix.ts'
import type { ConvexFunction } from './newton.ts'

/** Rows, labels, weights and penalties of a logistic fit. */
export type LogisticProblem = {
  /** Centred and scaled. */
  readonly matrix: FeatureMatrix
  readonly labels: ArrayLike<number>
  readonly weights: Float64Array
  /** Per column: factor of ½ · coefficient². */
  readonly penalties: Float64Array
}

/**
 * Σ w · log(1 + e^(−±margin)) + ½ Σ penalty · coefficient² of two classes.
 * Parameters: one coefficient per column, then the intercept.
 */
export function binaryLoss({
  matrix,
  labels,
  weights,
  penalties,
}: LogisticProblem): ConvexFunction {
  const { values, rowCount } = matrix
  const columnCount = penalties.length
  const size = columnCount + 1
  const marginOf = (parameters: Float64Array, row: number) => {
    let margin = parameters[columnCount]!
    for (let c = 0; c < columnCount; c++) {
      margin += parameters[c]! * values[row * columnCount + c]!
    }
    return margin
  }
  return {
    size,
    value: (parameters) => {
      let loss = penaltyOf(parameters, penalties)
      for (let row = 0; row < rowCount; row++) {
        const margin = marginOf(parameters, row)
        loss += weights[row]! * softplus(labels[row] === 1 ? -margin : margin)
      }
      return loss
    },
    derivatives: (parameters, gradient, hessian) => {
      gradient.fill(0)
      hessian.fill(0)
      for (let c = 0; c < columnCount; c++) {
        gradient[c] = penalties[c]! * parameters[c]!
        hessian[c * size + c] = penalties[c]!
      }
      for (let row = 0; row < rowCount; row++) {
        const share = 1 / (1 + Math.exp(-marginOf(parameters, row)))
        const slope = weights[row]! * (share - labels[row]!)
        const curvature = weights[row]! * share * (1 - share)
        addRow(values, row * columnCount, columnCount, slope, gradient, 0)
        addOuter(values, row * columnCount, columnCount, curvature, hessian, size, 0, 0)
      }
    },
  }
}

/**
 * Softmax loss of several classes with the same penalty. Parameters: class by class, coefficients
 * then intercept. Adding one number to a column's coefficients of all classes changes no
 * probability; half the square of their sum is added to the loss, so that the one minimum has sum 0
 * (with a penalty it has it anyway).
 */
export function softmaxLoss(
  { matrix, labels, weights, penalties }: LogisticProblem,
  classCount: number,
): ConvexFunction {
  const { values, rowCount } = matrix
  const columnCount = penalties.length
  const stride = columnCount + 1
  const size = classCount * stride
  const shares = new Float64Array(classCount)
  return {
    size,
    value: (parameters) => {
      let loss = sumSquares(parameters, stride) / 2
      for (let k = 0; k < classCount; k++) {
        loss += penaltyOf(parameters.subarray(k * stride, (k + 1) * stride), penalties)
      }
      for (let row = 0; row < rowCount; row++) {
        const label = labels[row]!
        loss += weights[row]! * writeSoftmax(parameters, values, row * columnCount, label, shares)
      }
      return loss
    },
    derivatives: (parameters, gradient, hessian) => {
      startDerivatives(parameters, penalties, gradient, hessian)
      for (let row = 0; row < rowCount; row++) {
        const cells = row * columnCount
        writeSoftmax(parameters, values, cells, labels[row]!, shares)
        for (let k = 0; k < classCount; k++) {
          const slope = weights[row]! * (shares[k]! - Number(labels[row] === k))
          addRow(values, cells, columnCount, slope, gradient, k * stride)
          for (let l = 0; l <= k; l++) {
            const curvature = weights[row]! * shares[k]! * (Number(k === l) - shares[l]!)
            addOuter(values, cells, columnCount, curvature, hessian, size, k * stride, l * stride)
          }
        }
      }
    },
  }
}

/** Penalty and sum-to-zero terms. */
function startDerivatives(
  parameters: Float64Array,
  penalties: Float64Array,
  gradient: Float64Array,
  hessian: Float64Array,
): void {
  const size = parameters.length
  const stride = penalties.length + 1
  hessian.fill(0)
  for (let i = 0; i < size; i++) {
    const c = i % stride
    const penalty = penalties[c] ?? 0
    let sum = 0
    for (let j = c; j < size; j += stride) {
      sum += parameters[j]!
      hessian[i * size + j] = 1
    }
    gradient[i] = penalty * parameters[i]! + sum
    hessian[i * size + i] = 1 + penalty
  }
}

/** Softmax of a row's margins into `shares`; returns −log of the label's share. */
function writeSoftmax(
  parameters: Float64Array,
  values: Float64Array,
  cells: number,
  label: number,
  shares: Float64Array,
): number {
  const stride = parameters.length / shares.length
  const columnCount = stride - 1
  let highest = Number.NEGATIVE_INFINITY
  for (let k = 0; k < shares.length; k++) {
    let margin = parameters[k * stride + columnCount]!
    for (let c = 0; c < columnCount; c++) {
      margin += parameters[k * stride + c]! * values[cells + c]!
    }
    shares[k] = margin
    highest = Math.max(highest, margin)
  }
  const below = highest - shares[label]!
  let sum = 0
  for (let k = 0; k < shares.length; k++) {
    shares[k] = Math.exp(shares[k]! - highest)
    sum += shares[k]!
  }
  for (let k = 0; k < shares.length; k++) shares[k] = shares[k]! / sum
  return below + Math.log(sum)
}

function penaltyOf(parameters: Float64Array, penalties: Float64Array): number {
  let sum = 0
  for (let c = 0; c < penalties.length; c++) sum += penalties[c]! * parameters[c]! * parameters[c]!
  return sum / 2
}

/** Σ over coordinates of (sum over classes)². */
function sumSquares(parameters: Float64Array, stride: number): number {
  let total = 0
  for (let c = 0; c < stride; c++) {
    let sum = 0
    for (let at = c; at < parameters.length; at += stride) sum += parameters[at]!
    total += sum * sum
  }
  return total
}

/** log(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** gradient[at …] += factor · (cells, 1). */
function addRow(
  values: Float64Array,
  cells: number,
  columnCount: number,
  factor: number,
  gradient: Float64Array,
  at: number,
): void {
  for (let c = 0; c < columnCount; c++) {
    gradient[at + c] = gradient[at + c]! + factor * values[cells + c]!
  }
  gradient[at + columnCount] = gradient[at + columnCount]! + factor
}

/** Block at (rowAt, columnAt) of the Hessian += factor · (cells, 1)·(cells, 1)ᵀ. */
function addOuter(
  values: Float64Array,
  cells: number,
  columnCount: number,
  factor: number,
  hessian: Float64Array,
  size: number,
  rowAt: number,
  columnAt: number,
): void {
  const isDiagonal = rowAt === columnAt
  for (let i = 0; i <= columnCount; i++) {
    const scaled = i < columnCount ? factor * values[cells + i]! : factor
    const at = (rowAt + i) * size + columnAt
    const end = isDiagonal ? Math.min(i + 1, columnCount) : columnCount
    for (let j = 0; j < end; j++) hessian[at + j] = hessian[at + j]! + scaled * values[cells + j]!
    if (!isDiagonal || i === columnCount) {
      hessian[at + columnCount] = hessian[at + columnCount]! + scaled
    }
  }
}
