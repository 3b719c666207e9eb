import type { SimulatedMessage } from '../contracts/index.ts'
import { backoffMs } from './backoff.ts'
import type { LinkContext } from './mqtt-link.ts'
import type { Link } from './outbox.ts'

/** How simulated devices reach the gateway over HTTPS, one request a message. */
export type HttpsTransport = {
  readonly kind: 'https'
  readonly baseUrl: string
  /** Value of the `Authorization` header: a SAS token or `Basic ...`. */
  readonly authorization: (deviceId: string) => string | Promise<string>
}

async function post(
  transport: HttpsTransport,
  { deviceId, messageId, payload }: SimulatedMessage,
  signal: AbortSignal,
): Promise<{ readonly isAccepted: boolean; readonly reason: string; readonly waitMs?: number }> {
  const url = new URL(`/devices/${deviceId}/messages/events`, transport.baseUrl)
  const response = await fetch(url, {
    method: 'POST',
    body: payload,
    signal,
    headers: {
      authorization: await transport.authorization(deviceId),
      'content-type': 'application/json; charset=utf-8',
      'iothub-messageid': messageId,
    },
  })
  await response.arrayBuffer()
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return {
    isAccepted: response.ok,
    reason: `HTTP ${response.status}`,
    ...(Number.isFinite(seconds) ? { waitMs: seconds * 1000 } : {}),
  }
}

/** One device's HTTPS sender: tries until accepted and honours `Retry-After`. */
export function createHttpsLink(
  deviceId: string,
  transport: HttpsTransport,
  context: LinkContext,
): Link {
  const { sleep, signal, random, onTrouble } = context

  async function send(messages: readonly SimulatedMessage[]): Promise<void> {
    for (const message of messages) {
      for (let attempt = 0; ; attempt++) {
        signal.throwIfAborted()
        // A failed request is told and tried again: the device keeps its message.
        const outcome = await post(transport, message, signal).catch((error: unknown) => ({
          isAccepted: false,
          reason: String(error),
          waitMs: undefined,
        }))
        if (outcome.isAccepted) break
        onTrouble(deviceId, outcome.reason)
        await sleep(outcome.waitMs ?? backoffMs(attempt, random()), signal)
      }
    }
  }
  return { batchSize: 1, send, close: async () => undefined }
}
