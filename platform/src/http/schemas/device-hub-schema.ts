import { z } from 'zod'

const properties = z.record(z.string(), z.string())

/** A message to a device, as a caller sends it. */
export const newMessageSchema = z.strictObject({
  body: z.string().optional().describe('Payload as text'),
  body_base64: z.base64().optional().describe('Payload as bytes; instead of body'),
  message_id: z.string().optional(),
  correlation_id: z.string().optional(),
  content_type: z.string().optional(),
  content_encoding: z.string().optional(),
  properties: properties.optional().describe('Application properties'),
  ack: z.enum(['none', 'positive', 'negative', 'full']).optional().describe('Feedback wanted'),
  time_to_live_s: z.number().optional().describe('60 to 172,800; default 3,600'),
})

/** A message that waits for its device. */
export const queuedMessageSchema = z.object({
  message_id: z.string(),
  sequence_number: z.number().int(),
  enqueued_at: z.string(),
  expires_at: z.string(),
  delivery_count: z.number().int(),
  ack: z.string(),
  properties,
})

export const queuedMessagesSchema = z.object({ messages: z.array(queuedMessageSchema) })

export const purgedSchema = z.object({ purged_count: z.number().int() })

export const feedbackQuerySchema = z.object({
  after: z.coerce.number().int().min(0).default(0).describe('feedback_id of the last one seen'),
})

export const feedbackSchema = z.object({
  feedback: z.array(
    z.object({
      feedback_id: z.number().int(),
      at: z.string(),
      message_id: z.string(),
      device_id: z.string(),
      status: z.string(),
      description: z.string(),
      enqueued_at: z.string(),
    }),
  ),
})

const jsonObject = z.record(z.string(), z.json())

/** What the service may change of a twin. */
export const twinWriteSchema = z.object({
  tags: jsonObject.optional(),
  properties: z.object({ desired: jsonObject.optional() }).optional(),
})

/** A twin in the words of IoT Hub. */
export const twinSchema = z.object({
  deviceId: z.string(),
  etag: z.string().describe('Send it as If-Match to change only this version'),
  version: z.number().int(),
  tags: jsonObject,
  properties: z.object({ desired: jsonObject, reported: jsonObject }),
})

/** A direct method call in the words of IoT Hub. */
export const methodCallSchema = z.object({
  methodName: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,128}$/, '1 to 128 letters, digits, dots, dashes or underscores'),
  payload: z.json().optional(),
  responseTimeoutInSeconds: z.number().min(1).max(300).default(30),
  connectTimeoutInSeconds: z.number().min(0).max(300).default(0),
})

export const methodAnswerSchema = z.object({
  status: z.number().int(),
  payload: z.json(),
})

export const commandQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

export const commandsSchema = z.object({
  commands: z.array(
    z.object({
      audit_id: z.number().int(),
      asked_at: z.iso.datetime(),
      done_at: z.iso.datetime(),
      command: z.string(),
      by: z.string(),
      role: z.string(),
      source: z.string(),
      parameters: z.record(z.string(), z.unknown()),
      result: z.enum(['ok', 'denied', 'invalid', 'conflict', 'failed']),
      answer: z.record(z.string(), z.unknown()),
      reason: z.string().nullable(),
    }),
  ),
})

/** A twin in the words of IoT Hub. */
export type TwinView = z.output<typeof twinSchema>

/** Messages that wait for a device. */
export type QueuedMessages = z.output<typeof queuedMessagesSchema>

/** What somebody told a device to do, newest first. */
export type CommandsView = z.output<typeof commandsSchema>

/** What a device answered to a call. */
export type MethodAnswer = z.output<typeof methodAnswerSchema>
