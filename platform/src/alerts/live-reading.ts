import { eventTime } from '../clean/index.ts'
import type { LiveReading, LogRecord } from '../contracts/index.ts'
import type { SensorPlan } from './sensor-plan.ts'

/** Older than this, by arrival or by its own time, a reading updates state and fires nothing. */
const maxFiringAgeMs = 600_000

type Payload = {
  readonly readings?: Readonly<Record<string, unknown>> | null
  readonly sent_at?: unknown
  readonly sensor_type?: unknown
  readonly value?: unknown
  readonly quality?: unknown
}

function parsePayload(bytes: Uint8Array): Payload | undefined {
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch (cause) {
    // The gateway let it through, so this is its bug; here it costs this one reading, counted.
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

const hasZone = /(Z|[+-]\d\d:?\d\d)$/i

function instantOf(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const ms = Date.parse(hasZone.test(text) ? text : `${text}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

function readValue(sensor: SensorPlan[number], value: unknown): number | boolean | undefined {
  if (sensor.isBoolean) {
    if (typeof value === 'boolean') return value
    return value === 1 ? true : value === 0 ? false : undefined
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const corrected = value + sensor.offset
  return corrected >= sensor.lowest && corrected <= sensor.highest ? corrected : undefined
}

type Values = Record<string, number | boolean | undefined>

function wideValues(plan: SensorPlan, readings: Readonly<Record<string, unknown>>): Values {
  const values: Values = {}
  for (const sensor of plan) {
    const value = readValue(sensor, readings[sensor.name])
    if (value !== undefined) values[sensor.name] = value
  }
  return values
}

function narrowValues(plan: SensorPlan, { sensor_type, value, quality }: Payload): Values {
  const sensor = plan.find(({ name }) => name === sensor_type)
  const read = sensor === undefined || quality === 'bad' ? undefined : readValue(sensor, value)
  return sensor === undefined || read === undefined ? {} : { [sensor.name]: read }
}

/**
 * A log record as the stream rules see it: event time by ING-44, values in canonical units,
 * implausible ones left out (SRV-14). Undefined for a refused or unreadable record.
 */
export function liveReading(
  record: LogRecord,
  plan: SensorPlan,
  nowMs: number,
): LiveReading | undefined {
  const { body, ingestedAtMs } = record
  if (body.kind === 'refused') return undefined
  const payload = parsePayload(body.payload)
  if (payload === undefined) return undefined
  const sentMs = instantOf(payload.sent_at)
  const { timeMs } = eventTime({
    deviceMs: body.deviceTimeMs,
    ingestedMs: ingestedAtMs,
    ...(sentMs === undefined ? {} : { sentMs }),
  })
  const { readings } = payload
  const values =
    body.format === 'narrow'
      ? narrowValues(plan, payload)
      : wideValues(plan, typeof readings === 'object' && readings !== null ? readings : {})
  return {
    deviceId: record.deviceId,
    eventId: record.eventId,
    timeMs,
    ingestedAtMs,
    values,
    mayFire: nowMs - ingestedAtMs <= maxFiringAgeMs && ingestedAtMs - timeMs <= maxFiringAgeMs,
  }
}
