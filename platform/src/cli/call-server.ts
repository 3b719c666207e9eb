import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { IsothermError } from '../contracts/index.ts'
import type { ServerMarker } from '../runtime/index.ts'

/** What to ask the server that owns a data folder. */
export type ServerRequest = {
  /** Path with query, for example `/api/v1/alerts?limit=5`. */
  readonly path: string
  /** Sent as JSON; without it the request is a GET. */
  readonly body?: unknown
  /** How a body is sent; default POST. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Only change what still has this ETag. */
  readonly ifMatch?: string
  /** A repeat with the same key gets the first answer. */
  readonly idempotencyKey?: string
}

type Answer = { readonly status: number; readonly text: string }

/** The server listens on this machine, whatever address it was bound to. */
function localUrl(url: string): URL {
  const local = new URL(url)
  if (['0.0.0.0', '[::]'].includes(local.hostname)) local.hostname = '127.0.0.1'
  return local
}

function send(server: ServerMarker, asked: ServerRequest): Promise<Answer> {
  const { path, body, idempotencyKey, ifMatch } = asked
  const url = new URL(path, localUrl(server.url))
  const text = body === undefined ? undefined : JSON.stringify(body)
  const options = {
    method: asked.method ?? (text === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: `Bearer ${server.token}`,
      ...(text !== undefined && { 'content-type': 'application/json' }),
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    // The marker pins the certificate itself; its names are those devices use, not loopback.
    ...(server.certificate !== undefined && {
      ca: server.certificate,
      // It may come from an authority that is not pinned.
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
    }),
  }
  const request = url.protocol === 'https:' ? requestTls : requestPlain
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (response) => {
      let received = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        received += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: received }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(text)
  })
}

/**
 * Asks the server that owns a data folder and parses its JSON answer.
 * @throws IsothermError INPUT_INVALID with the server's sentence when it refuses
 */
export async function callServer<T>(server: ServerMarker, asked: ServerRequest): Promise<T> {
  const { status, text } = await send(server, asked)
  const answer: unknown = JSON.parse(text)
  if (status >= 200 && status < 300) return answer as T
  const detail = (answer as { readonly detail?: string }).detail ?? `status ${status}`
  throw new IsothermError('INPUT_INVALID', detail)
}

/** Text that the server answers, for example its metrics. @throws IsothermError INPUT_INVALID */
export async function readServerText(server: ServerMarker, path: string): Promise<string> {
  const { status, text } = await send(server, { path })
  if (status >= 200 && status < 300) return text
  throw new IsothermError('INPUT_INVALID', `${path}: status ${status}`)
}
