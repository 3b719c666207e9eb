import type { Problem } from 'isotherm/http'
import { sessionHeaders } from './session.ts'

/** Answer of the API. */
export type Answer<T> =
  | { readonly kind: 'ready'; readonly value: T }
  | { readonly kind: 'failed'; readonly status: number; readonly reason: string }

/** No answer within this time counts as failed. */
const timeoutMs = 20_000

function reasonOf(status: number, problem: Partial<Problem>): string {
  const parts = [problem.detail ?? `The server answered ${status}.`, problem.what_to_do]
  return parts.filter((part) => part !== undefined).join(' To do: ')
}

async function send<T>(path: string, init: RequestInit): Promise<Answer<T>> {
  try {
    const response = await fetch(path, {
      ...init,
      headers: { accept: 'application/json', ...sessionHeaders(), ...init.headers },
      signal: AbortSignal.any([
        AbortSignal.timeout(timeoutMs),
        ...(init.signal == null ? [] : [init.signal]),
      ]),
    })
    // The server is ours and its answers are typed by the schemas it was checked against.
    if (response.ok) return { kind: 'ready', value: (await response.json()) as T }
    const isProblem = (response.headers.get('content-type') ?? '').includes('problem+json')
    const problem = isProblem ? ((await response.json()) as Partial<Problem>) : {}
    return {
      kind: 'failed',
      status: response.status,
      reason: reasonOf(response.status, problem),
    }
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
    const reason = isTimeout
      ? 'The server did not answer in 20 seconds.'
      : 'The server cannot be reached.'
    return { kind: 'failed', status: 0, reason }
  }
}

/** Reads a resource. Never rejects: what can go wrong is part of the answer. */
export function getJson<T>(path: string, signal?: AbortSignal): Promise<Answer<T>> {
  return send<T>(path, signal === undefined ? {} : { signal })
}

/** Does an action; the key makes a repeat harmless. */
export function postJson<T>(
  path: string,
  body: Readonly<Record<string, unknown>>,
  idempotencyKey: string,
): Promise<Answer<T>> {
  return send<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
    body: JSON.stringify(body),
  })
}

/** Merges into a resource. */
export function patchJson<T>(
  path: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Answer<T>> {
  return send<T>(path, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}
