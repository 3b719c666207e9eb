import { IsothermError, type IsothermErrorCode } from '../contracts/index.ts'

/** An error as the API sends it: RFC 9457 with the parts of a useful message as members. */
export type Problem = {
  /** Relative reference that names the kind of problem. */
  readonly type: string
  /** What went wrong, the same words for every problem of the type. */
  readonly title: string
  readonly status: number
  /** One sentence for a person. */
  readonly detail: string
  /** Path of the request. */
  readonly instance?: string
  /** Member of the request that is wrong, for example `query.from`. */
  readonly where?: string
  readonly expected?: string
  readonly found?: string
  readonly what_to_do?: string
  readonly request_id?: string
}

type ProblemParts = Pick<Problem, 'where' | 'expected' | 'found' | 'what_to_do'>

const titles: Readonly<Record<number, readonly [type: string, title: string]>> = {
  400: ['invalid-request', 'The request is not valid'],
  401: ['not-signed-in', 'No valid token was sent'],
  403: ['not-allowed', 'The role does not allow this'],
  404: ['not-found', 'There is no such thing'],
  405: ['method-not-allowed', 'The method is not allowed here'],
  408: ['too-slow', 'The request did not finish in time'],
  409: ['conflict', 'The object has changed'],
  412: ['stale', 'The object is not as expected any more'],
  413: ['too-large', 'The request is too large'],
  415: ['media-type', 'The content type is not supported'],
  429: ['too-many', 'Too many requests at once'],
  500: ['internal', 'The server failed'],
  503: ['not-ready', 'The server is not ready'],
  504: ['no-answer', 'The device did not answer in time'],
}

/** A refusal with an HTTP status; `detail` is shown to people and must hold no secret. */
export class HttpProblem extends Error {
  readonly status: number
  readonly parts: ProblemParts

  constructor(status: number, detail: string, parts: ProblemParts = {}) {
    super(detail)
    this.name = 'HttpProblem'
    this.status = status
    this.parts = parts
  }
}

const statusOfCode: Partial<Readonly<Record<IsothermErrorCode, number>>> = {
  INPUT_INVALID: 400,
  TABLE_UNKNOWN: 404,
  NOT_FOUND: 404,
  FORBIDDEN: 403,
  CONFLICT: 409,
}

function frameworkStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode } = error
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? statusCode
    : undefined
}

function asHttpProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (error instanceof IsothermError) {
    const status = statusOfCode[error.code]
    if (status !== undefined) return new HttpProblem(status, error.message)
  }
  const status = frameworkStatus(error)
  if (status !== undefined && error instanceof Error) return new HttpProblem(status, error.message)
  // The cause goes to the log only: its message may name files or hold input.
  return new HttpProblem(500, 'The server could not answer this request.', {
    what_to_do: 'try again; if it stays, look for the request id in the server log',
  })
}

/** Any thrown value as a problem document; unknown errors say nothing about the inside. */
export function problemOf(error: unknown, instance: string, requestId: string): Problem {
  const problem = asHttpProblem(error)
  const [type, title] = titles[problem.status] ?? ['error', 'The request failed']
  return {
    type: `/problems/${type}`,
    title,
    status: problem.status,
    detail: problem.message,
    instance,
    ...problem.parts,
    request_id: requestId,
  }
}
