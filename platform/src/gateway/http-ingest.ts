import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CollectorIdentity } from '../contracts/index.ts'
import { splitBatch } from './batch-lines.ts'
import { storeBatch } from './collector-batch.ts'
import type { Gateway } from './gateway.ts'
import type { GatewayCore } from './gateway-core.ts'
import { deviceMessageRoutes } from './http-device-messages.ts'
import { admitDevice, answerError, header, Refusal, stalledRetryS } from './http-refusal.ts'
import { registrationRoutes } from './http-registration.ts'
import { hubBatchPayloads } from './hub-batch.ts'
import { readHubHeaders } from './property-bag.ts'
import { recordOf } from './telemetry.ts'

const inflate = promisify(gunzip)
const hubBatchType = 'application/vnd.microsoft.iothub.json'

/** Who a request was admitted as; set before its body is read. */
type Caller =
  | { readonly kind: 'device'; readonly deviceId: string }
  | { readonly kind: 'collector'; readonly collector: CollectorIdentity }

/** The bodies of all requests at work are bounded like the messages in flight, ING-11. */
class BodyRoom {
  readonly #core: GatewayCore
  readonly callers = new WeakMap<FastifyRequest, Caller>()
  #reservedBytes = 0

  constructor(core: GatewayCore) {
    this.#core = core
  }

  reserve(request: FastifyRequest, reply: FastifyReply): void {
    const { limits, intake } = this.#core
    if (intake.isStalled) {
      throw new Refusal(503, 'LOG_UNAVAILABLE', 'the log takes no messages now', stalledRetryS)
    }
    const length = Number(header(request, 'content-length') ?? limits.maxBodyBytes)
    if (length > limits.maxBodyBytes) {
      throw new Refusal(413, 'BODY_TOO_LARGE', `the body may have ${limits.maxBodyBytes} bytes`)
    }
    const isPacked = header(request, 'content-encoding') !== undefined
    const bytes = isPacked ? limits.maxBodyBytes : length
    // One request always fits, or a small bound would refuse everything.
    const isBusy = this.#reservedBytes + intake.inFlightBytes > 0
    if (isBusy && this.#reservedBytes + intake.inFlightBytes + bytes > limits.maxInFlightBytes) {
      throw new Refusal(503, 'BUSY', 'too many bytes in flight', 1)
    }
    this.#reservedBytes += bytes
    reply.raw.once('close', () => {
      this.#reservedBytes -= bytes
    })
  }
}

function admitCaller(core: GatewayCore, request: FastifyRequest): Caller {
  return { kind: 'device', deviceId: admitDevice(core, request) }
}

function admitCollector(core: GatewayCore, request: FastifyRequest): Caller {
  const [, token] = /^Bearer (\S+)$/i.exec(header(request, 'authorization') ?? '') ?? []
  const collector =
    token === undefined
      ? undefined
      : core.desk.directory.collector(createHash('sha256').update(token).digest('hex'))
  if (collector === undefined) {
    throw new Refusal(401, 'UNAUTHORIZED', 'Authorization: Bearer <collector token> is required')
  }
  return { kind: 'collector', collector }
}

async function bodyOf(request: FastifyRequest, maxBodyBytes: number): Promise<Buffer> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const encoding = header(request, 'content-encoding') ?? 'identity'
  if (encoding === 'identity') return body
  if (encoding !== 'gzip') {
    throw new Refusal(415, 'ENCODING_UNKNOWN', `Content-Encoding ${encoding}: send gzip or none`)
  }
  try {
    return await inflate(body, { maxOutputLength: maxBodyBytes })
  } catch (error) {
    const isTooLarge = error instanceof RangeError
    throw isTooLarge
      ? new Refusal(413, 'BODY_TOO_LARGE', `the inflated body may have ${maxBodyBytes} bytes`)
      : new Refusal(400, 'GZIP_INVALID', 'the body is not valid gzip')
  }
}

async function takeMessage(
  core: GatewayCore,
  request: FastifyRequest,
  reply: FastifyReply,
  deviceId: string,
): Promise<void> {
  const nowMs = core.clock()
  const payload = await bodyOf(request, core.limits.maxBodyBytes)
  await requireRate(core, deviceId, 1, nowMs)
  const device = core.desk.directory.device(deviceId)?.device
  if (device === undefined) throw new Refusal(401, 'UNAUTHORIZED', 'the device is gone')
  core.counters.add('gateway_messages_received_total')
  const { messageId, properties } = readHubHeaders(request.headers)
  const record = recordOf(core, payload, {
    deviceId,
    device,
    protocol: 'https',
    messageId,
    properties,
    ingestedAtMs: nowMs,
  })
  await core.intake.append([record], record.body.payload.length)
  if (payload.length > core.limits.maxPayloadBytes) {
    const limit = `a message may have ${core.limits.maxPayloadBytes} bytes`
    throw new Refusal(413, 'PAYLOAD_TOO_LARGE', `${limit}; it was stored as a dead letter`)
  }
  await reply.code(204).send()
}

async function requireRate(
  core: GatewayCore,
  deviceId: string,
  count: number,
  nowMs: number,
): Promise<void> {
  const waitMs = core.throttle.request(deviceId, nowMs, count)
  if (waitMs === 0) return
  await core.throttle.noted()
  throw new Refusal(429, 'TOO_MANY_MESSAGES', 'over the message rate', Math.ceil(waitMs / 1_000))
}

/** Messages of one device in IoT Hub's form: all of them are stored, or none is. */
async function takeHubBatch(
  core: GatewayCore,
  request: FastifyRequest,
  reply: FastifyReply,
  deviceId: string,
): Promise<void> {
  const { limits, counters, clock, desk, intake } = core
  const nowMs = clock()
  const body = await bodyOf(request, limits.maxBodyBytes)
  if (body.length > limits.maxPayloadBytes) {
    throw new Refusal(413, 'BODY_TOO_LARGE', `a batch may have ${limits.maxPayloadBytes} bytes`)
  }
  const found = hubBatchPayloads(body)
  if (typeof found === 'string') throw new Refusal(400, 'INVALID_JSON', found)
  if (found.length > 0) await requireRate(core, deviceId, found.length, nowMs)
  const device = desk.directory.device(deviceId)?.device
  if (device === undefined) throw new Refusal(401, 'UNAUTHORIZED', 'the device is gone')
  counters.add('gateway_messages_received_total', undefined, undefined, found.length)
  const records = found.map(({ payload, messageId, properties }) =>
    recordOf(core, payload, {
      deviceId,
      device,
      protocol: 'https',
      messageId,
      properties,
      ingestedAtMs: nowMs,
    }),
  )
  const sizeBytes = records.reduce((sum, record) => sum + record.body.payload.length, 0)
  if (records.length > 0) await intake.append(records, sizeBytes)
  await reply.code(204).send()
}

function isEventTime(request: FastifyRequest, collector: CollectorIdentity): boolean {
  const time = header(request, 'x-isotherm-time')
  if (time === undefined || time === 'ingest') return false
  if (time !== 'event') {
    throw new Refusal(400, 'INPUT_INVALID', `X-Isotherm-Time ${time}: send event or ingest`)
  }
  if (!collector.mayBackdate) {
    throw new Refusal(403, 'FORBIDDEN', `collector ${collector.collectorId} may not backdate`)
  }
  return true
}

async function takeBatch(
  core: GatewayCore,
  request: FastifyRequest,
  reply: FastifyReply,
  collector: CollectorIdentity,
): Promise<void> {
  const nowMs = core.clock()
  const stamp = { collector, isEventTime: isEventTime(request, collector), nowMs }
  const body = await bodyOf(request, core.limits.maxBodyBytes)
  const split = splitBatch(body)
  if (split.kind === 'malformed') {
    throw new Refusal(400, 'INVALID_JSON', `the body is no array of messages: ${split.problem}`)
  }
  // History is not live traffic: only the log's own back-pressure slows it.
  const waitMs = stamp.isEventTime ? 0 : core.throttle.batch(split.count, nowMs)
  if (waitMs > 0) {
    await core.throttle.noted()
    throw new Refusal(429, 'TOO_MANY_MESSAGES', 'over the message rate', Math.ceil(waitMs / 1_000))
  }
  await reply.send(await storeBatch(core, body, split, stamp))
}

/**
 * Mounts the HTTP side of a gateway on a Fastify server:
 * `POST /devices/{id}/messages/events`, one message or a batch in IoT Hub's convention (SAS token,
 * 204), `/devices/{id}/messages/devicebound`, messages to a device, and `POST /messages/batch`, NDJSON or a JSON array of messages of many devices (collector token,
 * answer `BatchVerdict`). Both answer only what is durable; bodies may be gzip.
 */
export function ingestRoutes(app: FastifyInstance, gateway: Gateway): void {
  const { core } = gateway
  const bodyLimit = core.limits.maxBodyBytes
  app.register(async (scope) => {
    const room = new BodyRoom(core)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
      done(null, body),
    )
    scope.setErrorHandler((error, _request, reply) => answerError(error, reply))
    const entry =
      (admit: typeof admitCaller) => async (request: FastifyRequest, reply: FastifyReply) => {
        room.callers.set(request, admit(core, request))
        room.reserve(request, reply)
      }
    scope.post(
      '/devices/:id/messages/events',
      { bodyLimit, onRequest: entry(admitCaller) },
      async (request, reply) => {
        const caller = room.callers.get(request)
        if (caller?.kind !== 'device') return reply
        const isBatch = header(request, 'content-type')?.startsWith(hubBatchType) === true
        await (isBatch ? takeHubBatch : takeMessage)(core, request, reply, caller.deviceId)
        return reply
      },
    )
    scope.post(
      '/messages/batch',
      { bodyLimit, onRequest: entry(admitCollector) },
      async (request, reply) => {
        const caller = room.callers.get(request)
        if (caller?.kind === 'collector') await takeBatch(core, request, reply, caller.collector)
        return reply
      },
    )
    deviceMessageRoutes(scope, core)
    registrationRoutes(scope, core)
  })
}
