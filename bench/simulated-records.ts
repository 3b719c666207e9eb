import type { FleetDefinition, NewRecord } from 'isotherm/contracts'
import { compileDecoder, eventIdOf } from 'isotherm/gateway'

const startMs = Date.UTC(2026, 2, 10, 10)
const minuteMs = 60_000

/** Records of a simulated fleet, decoded as the gateway does, minute by minute. */
export function simulatedRecords(
  fleet: FleetDefinition,
  deviceCount: number,
  recordCount: number,
): readonly NewRecord[] {
  const { simulator } = fleet
  if (simulator === undefined) throw new Error(`fleet ${fleet.name} has no simulator`)
  const decoder = compileDecoder(fleet)
  const devices = simulator.devices({ count: deviceCount, seed: 1 }).map((device) => ({
    device,
    simulated: simulator.device({ device, seed: 1, startMs, faults: [] }),
  }))
  const records: NewRecord[] = []
  for (let timeMs = startMs; records.length < recordCount; timeMs += minuteMs) {
    for (const { device, simulated } of devices) {
      const message = simulated.step(timeMs)
      if (message === undefined || records.length >= recordCount) continue
      const { deviceId, messageId } = message
      const ingestedAtMs = timeMs + message.delayMs
      const payload = Buffer.from(message.payload)
      const { body, timestampText } = decoder.decode(payload, { deviceId, device, ingestedAtMs })
      const eventId = eventIdOf(deviceId, timestampText, messageId, payload)
      records.push({ deviceId, eventId, messageId, ingestedAtMs, protocol: 'mqtt5', body })
    }
  }
  return records
}
