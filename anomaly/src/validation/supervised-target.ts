import { AnomalyError, invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'

/** What a supervised model learns to predict, one entry per row. */
export type SupervisedTarget =
  /** 1 for the class whose probability is learned (a failure), else 0. */
  | { readonly kind: 'binary'; readonly labels: ArrayLike<number> }
  /** Class indices 0 … classCount − 1. */
  | {
      readonly kind: 'classes'
      readonly labels: ArrayLike<number>
      readonly classCount: number
    }
  /** Finite numbers, any unit. */
  | { readonly kind: 'regression'; readonly values: ArrayLike<number> }

/** How much rows count. */
export type RowWeighting = {
  /** One weight ≥ 0 per row, e.g. the confidence of its label; default 1. Rows of 0 are left out. */
  readonly rowWeights?: ArrayLike<number>
  /**
   * Weight per class, multiplied with the row's; `'balanced'` gives every class the same sum
   * (rows / (classes · rows of the class)). Default: all 1.
   */
  readonly classWeights?: 'balanced' | readonly number[]
}

/** Number of classes of a target, 0 for regression. */
export function classCountOf(target: SupervisedTarget): number {
  return target.kind === 'binary' ? 2 : target.kind === 'classes' ? target.classCount : 0
}

/** Outputs a model computes per row: one per class, or one. */
export function outputCountOf(target: SupervisedTarget): number {
  return target.kind === 'classes' ? target.classCount : 1
}

/** Labels or values of a target. */
export function targetValues(target: SupervisedTarget): ArrayLike<number> {
  return target.kind === 'regression' ? target.values : target.labels
}

/**
 * Refuses a target that does not fit `rowCount` rows or its own kind.
 * @throws SHAPE_MISMATCH, INVALID_OPTION, NOT_FINITE
 */
export function requireTarget(target: SupervisedTarget, rowCount: number): void {
  const values = targetValues(target)
  if (values.length !== rowCount) throw shapeMismatch('target length', rowCount, values.length)
  if (target.kind === 'regression') {
    for (let row = 0; row < rowCount; row++) {
      if (!Number.isFinite(values[row])) throw targetNotFinite(row, values[row]!)
    }
    return
  }
  const classCount = classCountOf(target)
  if (!Number.isInteger(classCount) || classCount < 2 || classCount > 1000) {
    throw invalidOption('classCount', 'an integer in [2, 1000]', classCount)
  }
  for (let row = 0; row < rowCount; row++) {
    const label = values[row]!
    if (!(Number.isInteger(label) && label >= 0 && label < classCount)) {
      throw invalidOption(`labels[${row}]`, `an integer in [0, ${classCount})`, label)
    }
  }
}

/**
 * Weight of each row after class weights.
 * @throws SHAPE_MISMATCH, INVALID_OPTION, TOO_FEW_ROWS if no row has weight, ONE_CLASS if the rows
 *   with weight are all of one class
 */
export function combinedWeights(
  target: SupervisedTarget,
  rowCount: number,
  { rowWeights, classWeights }: RowWeighting,
): Float64Array {
  const weights =
    rowWeights === undefined ? new Float64Array(rowCount).fill(1) : Float64Array.from(rowWeights)
  if (weights.length !== rowCount) {
    throw shapeMismatch('rowWeights.length', rowCount, weights.length)
  }
  for (const [row, weight] of weights.entries()) {
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw invalidOption(`rowWeights[${row}]`, 'a finite number ≥ 0', weight)
    }
  }
  if (!weights.some((weight) => weight > 0)) throw tooFewRows('rows with weight', 1, 0)
  if (target.kind === 'regression') {
    if (classWeights !== undefined) {
      throw invalidOption('classWeights', 'absent for regression', classWeights)
    }
  } else {
    const perClass = classWeightsOf(target, weights, classWeights)
    for (let row = 0; row < rowCount; row++) {
      weights[row] = weights[row]! * perClass[target.labels[row]!]!
    }
    requireClasses(target.labels, weights)
  }
  return weights
}

function classWeightsOf(
  target: Exclude<SupervisedTarget, { kind: 'regression' }>,
  rowWeights: Float64Array,
  classWeights: RowWeighting['classWeights'],
): readonly number[] {
  const classCount = classCountOf(target)
  if (classWeights === undefined) return new Array<number>(classCount).fill(1)
  if (classWeights !== 'balanced') {
    if (classWeights.length !== classCount) {
      throw shapeMismatch('classWeights.length', classCount, classWeights.length)
    }
    for (const [index, weight] of classWeights.entries()) {
      if (!(weight > 0 && weight < Number.POSITIVE_INFINITY)) {
        throw invalidOption(`classWeights[${index}]`, 'a finite number > 0', weight)
      }
    }
    return classWeights
  }
  const sums = new Array<number>(classCount).fill(0)
  let total = 0
  for (const [row, weight] of rowWeights.entries()) {
    const label = target.labels[row]!
    sums[label] = sums[label]! + weight
    total += weight
  }
  // A class without rows has no weight to balance; the division would give infinity.
  return sums.map((sum) => (sum > 0 ? total / (classCount * sum) : 1))
}

function requireClasses(labels: ArrayLike<number>, weights: Float64Array): void {
  let first = -1
  for (const [row, weight] of weights.entries()) {
    if (weight === 0) continue
    if (first < 0) first = labels[row]!
    else if (labels[row] !== first) return
  }
  throw new AnomalyError(
    'ONE_CLASS',
    `target: all rows with weight have label ${first}, expected at least two classes`,
    { label: first, rowCount: weights.length },
  )
}

function targetNotFinite(row: number, found: number): AnomalyError {
  return new AnomalyError(
    'NOT_FINITE',
    `target: value of row ${row} is ${found}, expected a finite number; drop the row`,
    { row, found },
  )
}
