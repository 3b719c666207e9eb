import { IsothermError, type NewCloudMessage } from '../contracts/index.ts'

/** Bounds of IoT Hub for messages to devices. */
export const cloudMessageLimits = {
  pendingCount: 50,
  payloadBytes: 65_536,
  /** Names and values of the properties, so that the topic of the message stays under 64 KiB. */
  propertyBytes: 16_384,
  messageIdLength: 128,
  defaultTimeToLiveMs: 3_600_000,
  minTimeToLiveMs: 60_000,
  maxTimeToLiveMs: 172_800_000,
  /** A message given back so often goes to nobody any more. */
  abandonCount: 10,
} as const

function refuse(what: string, expected: string, found: unknown): never {
  throw new IsothermError(
    'INPUT_INVALID',
    `message to a device: ${what} is ${found}; expected ${expected}`,
  )
}

/** @throws IsothermError INPUT_INVALID for a message that no device could be sent */
export function checkCloudMessage(message: NewCloudMessage): void {
  const limits = cloudMessageLimits
  const { payload, messageId = 'x', timeToLiveMs = limits.defaultTimeToLiveMs } = message
  if (payload.length > limits.payloadBytes) {
    refuse('the payload', `at most ${limits.payloadBytes} bytes`, `${payload.length} bytes`)
  }
  if (messageId.length === 0 || messageId.length > limits.messageIdLength) {
    refuse('the message id', `1 to ${limits.messageIdLength} characters`, messageId.length)
  }
  if (!(timeToLiveMs >= limits.minTimeToLiveMs && timeToLiveMs <= limits.maxTimeToLiveMs)) {
    refuse('the time to live', 'one minute to two days', `${timeToLiveMs} ms`)
  }
  const { correlationId, userId, contentType, contentEncoding, properties = {} } = message
  const texts = [messageId, correlationId, userId, contentType, contentEncoding]
  const all = [...texts, ...Object.entries(properties).flat()].filter((text) => text !== undefined)
  const propertyBytes = all.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (propertyBytes > limits.propertyBytes) {
    refuse('the size of all properties', `at most ${limits.propertyBytes} bytes`, propertyBytes)
  }
  // A lone surrogate has no UTF-8 form, so it could not be written into a topic.
  const broken = all.find((text) => !text.isWellFormed())
  if (broken !== undefined) refuse('a property', 'well-formed text', 'text with a lone surrogate')
}
