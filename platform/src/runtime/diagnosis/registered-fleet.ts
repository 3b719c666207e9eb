import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { DiagnosisOptions } from './finding.ts'

const bodySchema = z.object({
  device_id: z.string(),
  status: z.string(),
  equipment_class: z.string(),
  expected_sensors: z.array(z.string()).nullish(),
  reporting_interval_s: z.number(),
  timezone: z.string(),
  timestamp_mode: z.string(),
})

/** What the registry says of a device that is checked here. */
export type RegisteredDevice = z.output<typeof bodySchema>

/** Devices of a data folder as the state store has them, read beside a running server. */
export function registeredDevices(dataDirectory: string): readonly RegisteredDevice[] {
  const path = join(resolve(dataDirectory), 'state.db')
  if (!existsSync(path)) return []
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database
      .prepare('SELECT body FROM device_registry WHERE valid_to IS NULL')
      .all()
      .map(({ body }) => bodySchema.parse(JSON.parse(String(body))))
  } finally {
    database.close()
  }
}

/** Devices to be served: as asked, or as many as are registered and active. */
export function deviceCountOf({ deviceCount, dataDirectory }: DiagnosisOptions): number {
  if (deviceCount !== undefined) return deviceCount
  return registeredDevices(dataDirectory).filter(({ status }) => status === 'active').length
}
