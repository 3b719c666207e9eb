import type { DeviceRow, NewRecord, Protocol } from '../contracts/index.ts'
import { eventIdOf } from './event-id.ts'
import type { GatewayCore } from './gateway-core.ts'
import { maxPropertiesLength } from './property-bag.ts'
import { refusedBody } from './refusal.ts'

/** Where a message came from, as the gateway knows it. */
export type MessageSource = {
  readonly deviceId: string
  readonly device: Pick<DeviceRow, 'timestamp_mode' | 'timezone'> & {
    /** Of a registered device: seconds between its messages. */
    readonly reporting_interval_s?: number
  }
  readonly protocol: Protocol
  readonly messageId: string | undefined
  /** What else came with it, as JSON; undefined for nothing. */
  readonly properties?: string | undefined
  readonly ingestedAtMs: number
}

/** A message as a log record: decoded, or refused with its reason, and counted, ING-9. */
export function recordOf(core: GatewayCore, payload: Buffer, source: MessageSource): NewRecord {
  const { deviceId, protocol, messageId, ingestedAtMs } = source
  const { maxPayloadBytes } = core.limits
  const isBagTooLarge = (source.properties?.length ?? 0) > maxPropertiesLength
  const properties = isBagTooLarge ? undefined : source.properties
  const intervalS = source.device.reporting_interval_s
  if (intervalS !== undefined) core.presence.heard(deviceId, intervalS * 1_000, ingestedAtMs)
  const { body, timestampText } =
    payload.length > maxPayloadBytes || isBagTooLarge
      ? {
          body: refusedBody(
            'PAYLOAD_TOO_LARGE',
            isBagTooLarge
              ? `properties are larger than ${maxPropertiesLength} characters`
              : `payload is larger than ${maxPayloadBytes} bytes`,
            payload,
          ),
          timestampText: '',
        }
      : core.decoder.decode(payload, source)
  if (body.kind === 'refused') {
    core.counters.add('gateway_messages_refused_total', 'reason', body.reason)
  } else if (intervalS !== undefined) {
    const sentMs = core.decoder.claimedSentAtMs() ?? body.deviceTimeMs
    core.clocks.observe(deviceId, sentMs, ingestedAtMs)
  }
  const eventId = eventIdOf(deviceId, timestampText, messageId, payload)
  if (properties !== undefined) {
    const base = { deviceId, eventId, ingestedAtMs, protocol, properties, body }
    return messageId === undefined ? base : { ...base, messageId }
  }
  return messageId === undefined
    ? { deviceId, eventId, ingestedAtMs, protocol, body }
    : { deviceId, eventId, ingestedAtMs, protocol, messageId, body }
}
