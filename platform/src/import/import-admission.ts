import type { FleetDefinition, NewRecord } from '../contracts/index.ts'
import { compileDecoder, eventIdOf } from '../gateway/index.ts'
import type { ImportedMessage } from './import-job.ts'

/**
 * Turns imported messages into log records with the gateway's own decoder and ids. They arrive at
 * the time they were measured: a file has its own clock (docs/decisions/history-has-its-own-clock).
 */
export function createAdmission(fleet: FleetDefinition): (message: ImportedMessage) => NewRecord {
  const decoder = compileDecoder(fleet)
  const device = { timestamp_mode: 'utc', timezone: 'UTC' } as const
  return ({ deviceId, timeMs, payload }) => {
    const bytes = Buffer.from(payload)
    const { body, timestampText } = decoder.decode(bytes, {
      deviceId,
      device,
      ingestedAtMs: timeMs,
    })
    return {
      deviceId,
      eventId: eventIdOf(deviceId, timestampText, undefined, bytes),
      ingestedAtMs: timeMs,
      protocol: 'import',
      body,
    }
  }
}
