import { AnomalyError } from '../errors.ts'
import { choleskyInPlace, solveCholesky } from './cholesky.ts'

/** A smooth convex function of `size` parameters. */
export type ConvexFunction = {
  readonly size: number
  /** Value at the parameters. */
  readonly value: (parameters: Float64Array) => number
  /** Overwrites the gradient and the lower triangle of the Hessian, size × size row-major. */
  readonly derivatives: (
    parameters: Float64Array,
    gradient: Float64Array,
    hessian: Float64Array,
  ) => void
}

/** Steps that a convex function with a minimum never needs. */
const MAX_STEPS = 100

/**
 * Minimises a convex function by Newton's method with step halving, down to rounding.
 * @param parameters where to start; receives the minimum
 * @throws NOT_CONVERGED if there is no minimum: the Hessian turns singular or steps never end
 * Cost: about ten Hessians and factorisations. Source: Boyd & Vandenberghe 2004, section 9.5.
 */
export function minimiseConvex(what: string, f: ConvexFunction, parameters: Float64Array): void {
  const gradient = new Float64Array(f.size)
  const hessian = new Float64Array(f.size * f.size)
  const step = new Float64Array(f.size)
  const trial = new Float64Array(f.size)
  let value = f.value(parameters)
  for (let count = 0; count < MAX_STEPS; count++) {
    f.derivatives(parameters, gradient, hessian)
    step.set(gradient)
    if (!choleskyInPlace(hessian, f.size)) throw noMinimum(what)
    solveCholesky(hessian, f.size, step)
    let decrement = 0
    for (let i = 0; i < f.size; i++) decrement += gradient[i]! * step[i]!
    // Half the decrement is how far the value lies above the minimum.
    const isDone = decrement <= 1e-15 * (1 + Math.abs(value))
    let share = 1
    for (;;) {
      for (let i = 0; i < f.size; i++) trial[i] = parameters[i]! - share * step[i]!
      const found = f.value(trial)
      if (found <= value - 1e-4 * share * decrement || isDone) {
        // The last step is taken although rounding hides what it gains.
        parameters.set(trial)
        value = found
        break
      }
      share /= 2
      if (share < 1e-10) return
    }
    if (isDone) return
  }
  throw noMinimum(what)
}

/** Error for a function that falls for ever. */
export function noMinimum(what: string): AnomalyError {
  return new AnomalyError(
    'NOT_CONVERGED',
    `${what}: found no minimum; classes are separable or columns determine each other: set l2 above 0 or drop columns`,
    { what },
  )
}
