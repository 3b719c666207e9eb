import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import { IsothermError } from '../contracts/index.ts'

const gzip = promisify(gzipCallback)

/** Waits; resolves early, never rejects, when the signal aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

/** The gateway's endpoint for many messages at once, `POST /messages/batch`. */
export type BatchEndpoint = {
  /** For example `https://localhost:8443`. */
  readonly baseUrl: string
  /** Bearer token of a collector that may backdate. */
  readonly token: string
  /** Compress requests; saves bytes on the wire for time in this process. Default false. */
  readonly gzip?: boolean
  /** Times one request is tried again before giving up; default 60. */
  readonly maxRetries?: number
  readonly sleep: Sleep
  readonly signal?: AbortSignal
  /** Told of every repetition and its reason. */
  readonly onRetry?: (reason: string) => void
}

const longestWaitMs = 30_000

/** Seconds or a date, as `Retry-After` allows; only seconds are understood, else one second. */
function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 1)
  return Number.isFinite(seconds) ? Math.min(longestWaitMs, Math.max(0, seconds * 1000)) : 1000
}

/** A batch the gateway has on disk. */
export type PostedBatch = {
  /** Bytes on the wire, without repetitions. */
  readonly byteCount: number
  /** Messages among them that went to the dead letters. */
  readonly refusedCount: number
}

type Attempt =
  | { readonly kind: 'accepted'; readonly refusedCount: number }
  | { readonly kind: 'later'; readonly waitMs: number; readonly reason: string }
  | { readonly kind: 'refused'; readonly status: number; readonly text: string }

/** Count of dead letters in the gateway's answer; 0 if it does not tell. */
function refusedCountOf(text: string): number {
  const count = /"refusedCount":\s*(\d+)/.exec(text)?.[1]
  return count === undefined ? 0 : Number(count)
}

async function attempt(
  endpoint: BatchEndpoint,
  body: string | Uint8Array<ArrayBuffer>,
  backoffMs: number,
): Promise<Attempt> {
  let response: Response
  try {
    response = await fetch(new URL('/messages/batch', endpoint.baseUrl), {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${endpoint.token}`,
        'content-type': 'application/x-ndjson',
        'x-isotherm-time': 'event',
        ...(endpoint.gzip === true ? { 'content-encoding': 'gzip' } : {}),
      },
      ...(endpoint.signal === undefined ? {} : { signal: endpoint.signal }),
    })
  } catch (error) {
    // The gateway is away or closed the socket. The same bytes go out again: event ids are
    // deterministic, so what did arrive is recognised as a duplicate.
    endpoint.signal?.throwIfAborted()
    return { kind: 'later', waitMs: backoffMs, reason: String(error) }
  }
  const text = await response.text()
  if (response.ok) return { kind: 'accepted', refusedCount: refusedCountOf(text) }
  if (response.status === 429 || response.status === 503) {
    return { kind: 'later', waitMs: retryAfterMs(response), reason: `HTTP ${response.status}` }
  }
  if (response.status >= 500) {
    return { kind: 'later', waitMs: backoffMs, reason: `HTTP ${response.status}` }
  }
  return { kind: 'refused', status: response.status, text }
}

/**
 * Posts payloads, one JSON text per line, until the gateway has them all on disk.
 * @throws IsothermError INPUT_INVALID if the gateway refuses them or never accepts them, and the
 * reason of the signal when it aborts
 */
export async function postBatch(
  endpoint: BatchEndpoint,
  payloads: readonly string[],
): Promise<PostedBatch> {
  const text = `${payloads.join('\n')}\n`
  const body = endpoint.gzip === true ? new Uint8Array(await gzip(text)) : text
  const maxRetries = endpoint.maxRetries ?? 60
  let reason = ''
  for (let retry = 0; retry <= maxRetries; retry++) {
    endpoint.signal?.throwIfAborted()
    const outcome = await attempt(endpoint, body, Math.min(longestWaitMs, 250 * 2 ** retry))
    if (outcome.kind === 'accepted') {
      return { byteCount: body.length, refusedCount: outcome.refusedCount }
    }
    if (outcome.kind === 'refused') {
      throw new IsothermError(
        'INPUT_INVALID',
        `${endpoint.baseUrl}/messages/batch answered ${outcome.status}, expected 200: ${outcome.text.slice(0, 300)}; check the collector token and that it may backdate`,
      )
    }
    reason = outcome.reason
    endpoint.onRetry?.(reason)
    await endpoint.sleep(outcome.waitMs, endpoint.signal)
  }
  throw new IsothermError(
    'INPUT_INVALID',
    `${endpoint.baseUrl}/messages/batch did not accept ${payloads.length} messages in ${maxRetries} repetitions, last ${reason}; check that the gateway runs`,
  )
}
