import type { z } from 'zod'
import type { CloudMessage } from '../../contracts/index.ts'
import type { ApiContext } from '../api-context.ts'
import { contentsOf, recordDenied, recorded } from '../command-record.ts'
import { commanders, deviceParams, requireDevice } from '../device-access.ts'
import { covers } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  feedbackQuerySchema,
  feedbackSchema,
  newMessageSchema,
  purgedSchema,
  queuedMessageSchema,
  queuedMessagesSchema,
} from '../schemas/device-hub-schema.ts'

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
  payload: Buffer,
): Promise<z.input<typeof queuedMessageSchema>> {
  const outcome = await context.state.messages.enqueue(deviceId, {
    payload,
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

/** Messages to devices: queued, listed, thrown away, and what became of them. */
export function cloudMessageRoutes(context: ApiContext): readonly Route[] {
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
      denied: recordDenied(context, 'send message'),
      handle: async ({ params, body, identity, requestId }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        const payload = payloadOf(body)
        const parameters = {
          ...contentsOf(payload),
          ...(body.properties !== undefined && { properties: Object.keys(body.properties) }),
        }
        const asked = {
          deviceId,
          command: 'send message',
          identity,
          requestId,
          parameters,
        } as const
        return recorded(
          context,
          asked,
          () => sendMessage(context, deviceId, body, payload),
          ({ message_id, sequence_number }) => ({ message_id, sequence_number }),
        )
      },
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
      denied: recordDenied(context, 'purge messages'),
      handle: async ({ params, identity, requestId }) => {
        const deviceId = requireDevice(context, identity, params.device_id)
        const parameters = {}
        return recorded(
          context,
          { deviceId, command: 'purge messages', identity, requestId, parameters },
          async () => ({ purged_count: await messages.purge(deviceId) }),
          (purged) => purged,
        )
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
