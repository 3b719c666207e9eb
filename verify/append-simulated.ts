import type {
  DeviceLog,
  DeviceRow,
  FaultPlan,
  FleetDefinition,
  NewRecord,
  SimulatedMessage,
} from 'isotherm/contracts'
import { compileDecoder, eventIdOf } from 'isotherm/gateway'

const minuteMs = 60_000
const recordsPerAppend = 20_000

/** A span of a simulated fleet's life, written to a log as the gateway would write it. */
export type SimulatedSpan = {
  readonly fleet: FleetDefinition
  readonly log: DeviceLog
  readonly devices: readonly DeviceRow[]
  readonly faults: readonly FaultPlan[]
  readonly seed: number
  /** Readings of [startMs, endMs) are written. */
  readonly startMs: number
  readonly endMs: number
  /** Where the physics begin, so that cycles and faults are under way at `startMs`. */
  readonly physicsStartMs: number
  readonly report?: (line: string) => void
}

/**
 * Writes all messages of a span in order of arrival, each through the gateway's decoder and with
 * the gateway's id; they arrive at reading time plus delay. Sockets and HTTP are left out.
 * @returns how many were written
 */
export async function appendSimulated(span: SimulatedSpan): Promise<number> {
  const { fleet, log, seed, startMs, endMs, physicsStartMs } = span
  const { simulator } = fleet
  if (simulator === undefined) throw new Error(`fleet ${fleet.name} has no simulator`)
  const rows = new Map(span.devices.map((device) => [device.device_id, device]))
  const plans = Map.groupBy(span.faults, ({ deviceId }) => deviceId)
  const devices = span.devices.map((device) =>
    simulator.device({
      device,
      seed,
      startMs: physicsStartMs,
      faults: plans.get(device.device_id) ?? [],
    }),
  )
  const decoder = compileDecoder(fleet)
  const admit = (message: SimulatedMessage): NewRecord => {
    const { deviceId, messageId, timeMs, delayMs } = message
    const device = rows.get(deviceId)
    if (device === undefined) throw new Error(`a message of ${deviceId}, which is not simulated`)
    const ingestedAtMs = timeMs + delayMs
    const payload = Buffer.from(message.payload)
    const { body, timestampText } = decoder.decode(payload, { deviceId, device, ingestedAtMs })
    const eventId = eventIdOf(deviceId, timestampText, messageId, payload)
    return { deviceId, eventId, messageId, ingestedAtMs, protocol: 'mqtt5', body }
  }

  const underWay = new Map<number, SimulatedMessage[]>()
  let appended: Promise<void> = Promise.resolve()
  let count = 0
  const append = async (messages: readonly SimulatedMessage[]) => {
    const ordered = messages.toSorted((a, b) => a.timeMs + a.delayMs - b.timeMs - b.delayMs)
    for (let at = 0; at < ordered.length; at += recordsPerAppend) {
      const records = ordered.slice(at, at + recordsPerAppend).map(admit)
      await appended
      appended = log.append(records)
      count += records.length
    }
  }
  for (let timeMs = physicsStartMs; timeMs < endMs; timeMs += minuteMs) {
    for (const device of devices) {
      const message = device.step(timeMs)
      if (message === undefined || timeMs < startMs) continue
      const minute = Math.floor((message.timeMs + message.delayMs) / minuteMs)
      const bucket = underWay.get(minute)
      if (bucket === undefined) underWay.set(minute, [message])
      else bucket.push(message)
    }
    const arrived = underWay.get(timeMs / minuteMs) ?? []
    underWay.delete(timeMs / minuteMs)
    await append(arrived)
    if (timeMs % (10 * minuteMs) === 0) span.report?.(`${count} messages written`)
  }
  await append([...underWay.values()].flat())
  await appended
  return count
}
