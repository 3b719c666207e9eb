import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { LockedMessage, Settlement } from '../contracts/index.ts'
import type { GatewayCore } from './gateway-core.ts'
import { admitDevice, header, Refusal } from './http-refusal.ts'

/** How long a message is hidden from others after it was handed out. */
const lockMs = 60_000

/** A header takes printable ASCII; anything else is percent-encoded, as in property bags. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text)
}

/** A property name as part of a header name, RFC 9110 section 5.6.2. */
function headerName(name: string): string {
  return encodeURIComponent(name).replace(/[()]/g, (mark) => (mark === '(' ? '%28' : '%29'))
}

function headersOf(deviceId: string, message: LockedMessage): Record<string, string> {
  const optional = {
    'iothub-correlationid': message.correlationId,
    'iothub-userid': message.userId,
    'iothub-contenttype': message.contentType,
    'iothub-contentencoding': message.contentEncoding,
  }
  const headers: Record<string, string> = {
    // The SDKs cut the first and the last character off, whatever they are.
    etag: `"${message.lockToken}"`,
    'content-type': 'application/octet-stream',
    'iothub-messageid': headerText(message.messageId),
    'iothub-to': `/devices/${deviceId}/messages/devicebound`,
    'iothub-sequencenumber': String(message.sequenceNumber),
    'iothub-deliverycount': String(message.deliveryCount),
    'iothub-enqueuedtime': new Date(message.enqueuedAtMs).toISOString(),
    'iothub-expiry': new Date(message.expiresAtMs).toISOString(),
    'iothub-ack': message.ack,
  }
  for (const [name, value] of Object.entries(optional)) {
    if (value !== undefined) headers[name] = headerText(value)
  }
  for (const [name, value] of Object.entries(message.properties)) {
    headers[`iothub-app-${headerName(name)}`] = headerText(value)
  }
  return headers
}

/**
 * Messages to a device over HTTPS in IoT Hub's convention: receive (GET, 200 or 204), complete and
 * reject (DELETE), abandon (POST). A lock that is gone answers 412.
 */
export function deviceMessageRoutes(scope: FastifyInstance, core: GatewayCore): void {
  const path = '/devices/:id/messages/devicebound'
  const messages = core.hub?.stores.messages
  if (messages === undefined) return

  const settle = async (
    request: FastifyRequest,
    reply: FastifyReply,
    how: Settlement,
  ): Promise<FastifyReply> => {
    const deviceId = admitDevice(core, request)
    const { token } = request.params as { readonly token: string }
    const condition = header(request, 'if-match')?.replaceAll('"', '')
    const isSame = condition === undefined || condition === '*' || condition === token
    if (isSame && (await messages.settle(deviceId, token, how))) return reply.code(204).send()
    throw new Refusal(412, 'LOCK_LOST', 'the message is not locked by this token any more')
  }

  scope.get(path, async (request, reply) => {
    const deviceId = admitDevice(core, request)
    const [message] = await messages.take(deviceId, { count: 1, lockMs })
    if (message === undefined) return reply.code(204).send()
    return reply.headers(headersOf(deviceId, message)).send(Buffer.from(message.payload))
  })
  scope.delete(`${path}/:token`, async (request, reply) => {
    const isRejected = Object.hasOwn(request.query as object, 'reject')
    return settle(request, reply, isRejected ? 'reject' : 'complete')
  })
  scope.post(`${path}/:token/abandon`, (request, reply) => settle(request, reply, 'abandon'))
}
