import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CollectorIdentity, NewRecord, ReasonCode } from '../contracts/index.ts'
import type { BatchSplit } from './batch-lines.ts'
import { isDeviceId } from './device-names.ts'
import { eventIdOf } from './event-id.ts'
import type { GatewayCore } from './gateway-core.ts'
import { refusedBody } from './refusal.ts'

/** Messages decoded before other work gets its turn: about 5 ms. */
const messagesPerTurn = 2_000
/** Refusals listed one by one in an answer; the rest is only counted. */
const maxListed = 1_000

/** What became of a batch; everything in it, refused messages too, is durable. */
export type BatchVerdict = {
  readonly accepted: number
  readonly refusedCount: number
  /** The first thousand refusals; lines and array elements count from 1. */
  readonly refused: readonly {
    readonly line: number
    readonly reason: ReasonCode
    readonly detail: string
  }[]
}

/** How a batch is stamped. */
export type BatchStamp = {
  readonly collector: CollectorIdentity
  /** Messages are stamped with their own send or reading time, not with now. */
  readonly isEventTime: boolean
  readonly nowMs: number
}

type Devices = GatewayCore['desk']['directory']

/** A device the registry does not know: its rows are quarantined at cleansing, ING-25. */
const unregistered = { timestamp_mode: 'utc', timezone: 'UTC' } as const

function decodedBody(core: GatewayCore, payload: Buffer, stamp: BatchStamp, directory: Devices) {
  const { decoder, limits } = core
  if (payload.length > limits.maxPayloadBytes) {
    const detail = `payload is larger than ${limits.maxPayloadBytes} bytes`
    const body = refusedBody('PAYLOAD_TOO_LARGE', detail, payload)
    return { deviceId: '', body, timestampText: '', sentAtMs: undefined }
  }
  const claimed = decoder.claim(payload)
  const deviceId = claimed !== undefined && isDeviceId(claimed) ? claimed : ''
  const device = deviceId === '' ? undefined : directory.device(deviceId)?.device
  const sentAtMs = decoder.claimedSentAtMs()
  const decoded = decoder.finish({
    deviceId,
    device: device ?? unregistered,
    ingestedAtMs: sentAtMs ?? stamp.nowMs,
  })
  if (device === undefined || device.status === 'active') return { deviceId, ...decoded, sentAtMs }
  const detail = `device_id: ${deviceId} is ${device.status}, it may not send`
  const body = refusedBody('IDENTITY_MISMATCH', detail, payload)
  return { deviceId, body, timestampText: decoded.timestampText, sentAtMs }
}

/** A message of a collector as a record; the device is the one the message names. */
function collectorRecord(core: GatewayCore, payload: Buffer, stamp: BatchStamp): NewRecord {
  const { deviceId, body, timestampText, sentAtMs } = decodedBody(
    core,
    payload,
    stamp,
    core.desk.directory,
  )
  const eventMs = sentAtMs ?? (body.kind === 'readable' ? body.deviceTimeMs : stamp.nowMs)
  return {
    deviceId,
    eventId: eventIdOf(deviceId, timestampText, undefined, payload),
    ingestedAtMs: stamp.isEventTime ? Math.min(eventMs, stamp.nowMs) : stamp.nowMs,
    protocol: stamp.isEventTime ? 'import' : 'https',
    body,
  }
}

/**
 * Stores a batch and resolves when all of it is durable. Decoding takes turns with other work, and
 * the log writes one part while the next is decoded.
 */
export async function storeBatch(
  core: GatewayCore,
  body: Buffer,
  split: Extract<BatchSplit, { readonly kind: 'split' }>,
  stamp: BatchStamp,
): Promise<BatchVerdict> {
  const { starts, ends, lines, count } = split
  const received = core.counters.cell('gateway_messages_received_total')
  const refused: BatchVerdict['refused'][number][] = []
  const appends: Promise<void>[] = []
  let refusedCount = 0
  for (let from = 0; from < count; from += messagesPerTurn) {
    const to = Math.min(count, from + messagesPerTurn)
    const records: NewRecord[] = []
    for (let i = from; i < to; i++) {
      const record = collectorRecord(core, body.subarray(starts[i], ends[i]), stamp)
      records.push(record)
      if (record.body.kind === 'readable') continue
      const { reason, detail } = record.body
      refusedCount++
      core.counters.add('gateway_messages_refused_total', 'reason', reason)
      if (refused.length < maxListed) refused.push({ line: lines[i]!, reason, detail })
    }
    received.value += to - from
    const append = core.intake.append(records, ends[to - 1]! - starts[from]!)
    // Judged together below; without a handler a failure meanwhile would end the process.
    append.catch(() => 'reported by Promise.all')
    appends.push(append)
    await nextTurn()
  }
  await Promise.all(appends)
  return { accepted: count - refusedCount, refusedCount, refused }
}
