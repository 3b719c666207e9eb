import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** A message as the counting fleet sends it. */
export type CountedMessage = {
  readonly device_id: string
  readonly n: number
  readonly timestamp: number
}

/** What the server answers a request with; without one it accepts. */
export type Answer = { readonly status: number; readonly retryAfterS?: number }

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
}

/** A real HTTP server that keeps what it accepts, for the batch and the device endpoint. */
export async function startBatchServer(
  answer: (requestIndex: number) => Answer | undefined = () => undefined,
  port = 0,
) {
  const messages: CountedMessage[] = []
  const requests: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = []
  let openCount = 0
  let mostOpen = 0
  const server = createServer((request, response) => {
    openCount += 1
    mostOpen = Math.max(mostOpen, openCount)
    const index = requests.push({ url: request.url ?? '', headers: request.headers }) - 1
    void bodyOf(request).then((text) => {
      const { status, retryAfterS } = answer(index) ?? { status: 200 }
      if (status < 300) {
        const lines = text.split('\n').filter((line) => line !== '')
        messages.push(...lines.map((line) => JSON.parse(line) as CountedMessage))
      }
      if (retryAfterS !== undefined) response.setHeader('retry-after', retryAfterS)
      openCount -= 1
      response.writeHead(status).end('{"accepted":1,"refusedCount":2,"refused":[]}')
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    messages,
    requests,
    mostOpen: () => mostOpen,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
