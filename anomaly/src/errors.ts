/** Every code an error of this package can carry. The list is closed: switch over it. */
export type AnomalyErrorCode =
  | 'SHAPE_MISMATCH'
  | 'COLUMN_MISMATCH'
  | 'NOT_FINITE'
  | 'TOO_FEW_ROWS'
  | 'INVALID_OPTION'
  | 'ONE_CLASS'
  | 'NOT_CONVERGED'
  | 'LEAKAGE'
  | 'CALIBRATION_NOT_INCREASING'
  | 'ADDITIVITY_VIOLATED'
  | 'CLEANING_LIMIT'
  | 'MODEL_FILE_INVALID'
  | 'POOL_BUSY'
  | 'POOL_CLOSED'
  | 'WORKER_FAILED'

/**
 * Base of all errors this package throws. `code` says which, `details` holds the values named in
 * the message, so that a caller can react without parsing text.
 */
export class AnomalyError extends Error {
  readonly code: AnomalyErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: AnomalyErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AnomalyError'
    this.code = code
    this.details = details
  }
}

/** Two sizes that must agree do not. */
export function shapeMismatch(what: string, expected: number, found: number): AnomalyError {
  return new AnomalyError(
    'SHAPE_MISMATCH',
    `${what} is ${found}, expected ${expected}; pass arrays of matching length`,
    { what, expected, found },
  )
}

/** An option lies outside the range in which the method is defined. */
export function invalidOption(option: string, expected: string, found: unknown): AnomalyError {
  return new AnomalyError(
    'INVALID_OPTION',
    `option ${option} is ${String(found)}, expected ${expected}`,
    { option, expected, found },
  )
}

/** A method needs more rows than it was given. */
export function tooFewRows(what: string, expected: number, found: number): AnomalyError {
  return new AnomalyError(
    'TOO_FEW_ROWS',
    `${what} needs at least ${expected} row(s), found ${found}; widen the data period`,
    { what, expected, found },
  )
}

/** A NaN or an infinite value stands where the method needs a finite one. */
export function notFinite(what: string, row: number, column: string, found: number): AnomalyError {
  return new AnomalyError(
    'NOT_FINITE',
    `${what}: row ${row}, column ${column} is ${found}, expected a finite number; impute or drop the row`,
    { what, row, column, found },
  )
}
