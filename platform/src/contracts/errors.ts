/** Codes of the platform's own errors; the list is closed. */
export type IsothermErrorCode =
  | 'CONTRACT_INVALID'
  | 'FLEET_INVALID'
  | 'TABLE_UNKNOWN'
  | 'INPUT_INVALID'
  | 'DATA_FOLDER_LOCKED'
  | 'DATA_FOLDER_TOO_NEW'
  | 'PORT_IN_USE'
  | 'DISK_FULL'
  | 'LOG_DAMAGED'
  | 'LOG_CLOSED'
  | 'COMMIT_FAILED'
  | 'GATE_FAILED'
  | 'MODEL_INVALID'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'FORBIDDEN'

/**
 * An error the platform raises on purpose. The message says what, where, expected, found and what
 * to do; `code` is for programs.
 */
export class IsothermError extends Error {
  readonly code: IsothermErrorCode

  constructor(code: IsothermErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'IsothermError'
    this.code = code
  }
}

/** Closes a switch over a union: the compiler proves it is never called. */
export function unreachable(value: never): never {
  throw new IsothermError('CONTRACT_INVALID', `a case was not handled: ${JSON.stringify(value)}`)
}
