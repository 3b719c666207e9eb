import { z } from 'zod'
import { type CloudMessage, type MethodOutcome, unreachable } from '../../contracts/index.ts'
import type { Role, TwinUpdate } from '../../objects/index.ts'
import type { ApiContext } from '../api-context.ts'
import { covers, type Identity } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  feedbackQuerySchema,
  feedbackSchema,
  methodAnswerSchema,
  methodCallSchema,
  newMessageSchema,
  purgedSchema,
  queuedMessageSchema,
  queuedMessagesSchema,
  twinSchema,
  twinWriteSchema,
} from '../schemas/device-hub-schema.ts'

const deviceParams = z.object({ device_id: z.string().min(1).max(128) })

/** Who may tell devices what to do. */
const commanders: readonly Role[] = ['operator', 'operator_lead', 'regional_engineer', 'admin']
/** Payload of a call, IoT Hub's limit. */
const maxMethodBytes = 131_072

function requireDevice(context: ApiContext, identity: Identity, deviceId: string): string {
  const row = context.state.registry.device(deviceId)
  if (row !== undefined && covers(identity, row.site_id)) return row.device_id
  throw new HttpProblem(404, `There is no device ${deviceId}.`, {
    where: 'path.device_id',
    expected: 'the id of a registered device of your sites',
    found: deviceId,
    what_to_do: 'look it up with GET /api/v1/devices?search=',
  })
}

function queuedView(message: Omit<CloudMessage, 'payload'>): z.input<typeof queuedMessageSchema> {
  return {
    message_id: message.messageId,
    sequence_number: message.sequenceNumber,
    enqueued_at: new Date(message.enqueuedAtMs).toISOString(),
    expires_at: new Date(message.expiresAtMs).toISOString(),
    delivery_count: message.deliveryCount,
    ack: message.ack,
    properties: { ...message.properties },
  }
}

function payloadOf(body: z.output<typeof newMessageSchema>): Buffer {
  if (body.body !== undefined && body.body_base64 !== undefined) {
    throw new HttpProblem(400, 'A message has one body.', {
      where: 'body.body, body.body_base64',
      what_to_do: 'send one of the two',
    })
  }
  return body.body_base64 === undefined
    ? Buffer.from(body.body ?? '', 'utf8')
    : Buffer.from(body.body_base64, 'base64')
}

async function sendMessage(
  context: ApiContext,
  deviceId: string,
  body: z.output<typeof newMessageSchema>,
): Promise<z.input<typeof queuedMessageSchema>> {
  const outcome = await context.state.messages.enqueue(deviceId, {
    payload: payloadOf(body),
    ...(body.message_id !== undefined && { messageId: body.message_id }),
    ...(body.correlation_id !== undefined && { correlationId: body.correlation_id }),
    ...(body.content_type !== undefined && { contentType: body.content_type }),
    ...(body.content_encoding !== undefined && { contentEncoding: body.content_encoding }),
    ...(body.properties !== undefined && { properties: body.properties }),
    ...(body.ack !== undefined && { ack: body.ack }),
    ...(body.time_to_live_s !== undefined && { timeToLiveMs: body.time_to_live_s * 1_000 }),
  })
  if (outcome.kind === 'queued') return queuedView(outcome.message)
  throw new HttpProblem(403, `${outcome.pendingCount} messages wait for ${deviceId} already.`, {
    expected: 'fewer than 50 pending messages',
    found: String(outcome.pendingCount),
    what_to_do: 'wait until the device has taken some, or purge its queue',
  })
}

function messageRoutes(context: ApiContext): readonly Route[] {
  const { messages } = context.state
  const path = '/api/v1/devices/{device_id}/messages'
  return [
    defineRoute({
      method: 'POST',
      path,
      summary: 'Queues a message to a device; at most 50 wait for each',
      params: deviceParams,
      body: newMessageSchema,
      reply: queuedMessageSchema,
      allowed: commanders,
      handle: async ({ params, body, identity }) =>
        sendMessage(context, requireDevice(context, identity, params.device_id), body),
    }),
    defineRoute({
      method: 'GET',
      path,
      summary: 'Messages that wait for a device',
      params: deviceParams,
      reply: queuedMessagesSchema,
      handle: async ({ params, identity }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        return { messages: (await messages.pending(deviceId)).map(queuedView) }
      },
    }),
    defineRoute({
      method: 'DELETE',
      path,
      summary: 'Throws away what waits for a device',
      params: deviceParams,
      reply: purgedSchema,
      allowed: commanders,
      handle: async ({ params, identity }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        return { purged_count: await messages.purge(deviceId) }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/message-feedback',
      summary: 'What became of messages whose sender asked, in order; kept for two days',
      query: feedbackQuerySchema,
      reply: feedbackSchema,
      allowed: commanders,
      handle: async ({ query, identity }) => {
        const found = await messages.feedbackAfter(query.after)
        const visible = found.filter(({ deviceId }) => {
          const row = context.state.registry.device(deviceId)
          return row !== undefined && covers(identity, row.site_id)
        })
        return {
          feedback: visible.map((one) => ({
            feedback_id: one.feedbackId,
            at: one.at,
            message_id: one.originalMessageId,
            device_id: one.deviceId,
            status: one.statusCode,
            description: one.description,
            enqueued_at: one.enqueuedTimeUtc,
          })),
        }
      },
    }),
  ]
}

type TwinReply = z.input<typeof twinSchema>

function updatedTwin(deviceId: string, update: TwinUpdate): TwinReply {
  switch (update.kind) {
    case 'changed':
      return update.twin as TwinReply
    case 'stale':
      throw new HttpProblem(412, `The twin of ${deviceId} has changed; nothing was written.`, {
        where: 'header If-Match',
        expected: update.etag,
        what_to_do: 'read the twin again and decide anew',
      })
    case 'refused':
      throw new HttpProblem(
        Math.floor(update.errorCode / 1_000),
        `The twin cannot be changed so: ${update.message}.`,
        { where: 'body', what_to_do: 'nothing was written; correct what was sent' },
      )
    default:
      return unreachable(update)
  }
}

/** The same operations under our path and under IoT Hub's, whose tools call them. */
function twinRoutes(context: ApiContext, path: string): readonly Route[] {
  const { twins } = context.state
  const change = (method: 'PATCH' | 'PUT', summary: string) =>
    defineRoute({
      method,
      path,
      summary,
      params: deviceParams,
      body: twinWriteSchema,
      reply: twinSchema,
      allowed: commanders,
      handle: async ({ params, body, identity, ifMatch }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        const update = await twins.update(deviceId, {
          isReplace: method === 'PUT',
          ...(body.tags !== undefined && { tags: body.tags }),
          ...(body.properties?.desired !== undefined && { desired: body.properties.desired }),
          ...(ifMatch !== undefined && { ifMatch }),
        })
        return updatedTwin(deviceId, update)
      },
    })
  return [
    defineRoute({
      method: 'GET',
      path,
      summary: 'Twin of a device: tags, desired and reported properties',
      params: deviceParams,
      reply: twinSchema,
      handle: async ({ params, identity }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        return (await twins.document(deviceId)) as TwinReply
      },
    }),
    change('PATCH', 'Merges tags and desired properties into a twin; null deletes'),
    change('PUT', 'Replaces tags and desired properties of a twin'),
  ]
}

function methodAnswer(
  deviceId: string,
  outcome: MethodOutcome,
): z.input<typeof methodAnswerSchema> {
  switch (outcome.kind) {
    case 'answered':
      return { status: outcome.status, payload: parsedAnswer(outcome.payload) }
    case 'offline':
      throw new HttpProblem(404, `${deviceId} is not connected, or takes no method calls.`, {
        what_to_do: 'call again when it is there, or wait for it with connectTimeoutInSeconds',
      })
    case 'no answer':
      throw new HttpProblem(504, `${deviceId} did not answer within ${outcome.waitedMs} ms.`, {
        what_to_do: 'the device may have done it all the same; ask its twin',
      })
    case 'busy':
      throw new HttpProblem(429, `Too many calls wait for ${deviceId} already.`, {
        what_to_do: 'try again when one has been answered',
      })
    default:
      return unreachable(outcome)
  }
}

/** A device may answer with anything; what is no JSON is passed on as text. */
function parsedAnswer(text: string): z.input<typeof methodAnswerSchema>['payload'] {
  if (text === '') return null
  try {
    return JSON.parse(text) as z.input<typeof methodAnswerSchema>['payload']
  } catch {
    return text
  }
}

function methodRoute(context: ApiContext, path: string): Route {
  return defineRoute({
    method: 'POST',
    path,
    summary: 'Calls a method of a connected device and waits for its answer',
    params: deviceParams,
    body: methodCallSchema,
    reply: methodAnswerSchema,
    allowed: commanders,
    handle: async ({ params, body, identity }) => {
      const deviceId = requireDevice(context, identity, params.device_id)
      const payload = body.payload === undefined ? '' : JSON.stringify(body.payload)
      if (Buffer.byteLength(payload) > maxMethodBytes) {
        throw new HttpProblem(413, `The payload is over ${maxMethodBytes} bytes.`, {
          where: 'body.payload',
        })
      }
      const outcome = await context.callMethod(deviceId, {
        methodName: body.methodName,
        payload,
        responseTimeoutMs: body.responseTimeoutInSeconds * 1_000,
        connectTimeoutMs: body.connectTimeoutInSeconds * 1_000,
      })
      return methodAnswer(deviceId, outcome)
    },
  })
}

/** Messages to devices, twins and direct methods; twins and methods also as IoT Hub has them. */
export function deviceHubRoutes(context: ApiContext): readonly Route[] {
  return [
    ...messageRoutes(context),
    ...twinRoutes(context, '/api/v1/devices/{device_id}/twin'),
    ...twinRoutes(context, '/twins/{device_id}'),
    methodRoute(context, '/api/v1/devices/{device_id}/methods'),
    methodRoute(context, '/twins/{device_id}/methods'),
  ]
}
