import { DatabaseSync } from 'node:sqlite'
import type { DeviceRow } from '../contracts/index.ts'

/**
 * Every version of every device in a state database, oldest first, read beside the process that
 * owns it.
 * @throws if there is no such database
 */
export function registeredDevices(path: string): readonly DeviceRow[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database
      .prepare('SELECT body FROM device_registry ORDER BY valid_from, device_id')
      .all()
      .map(({ body }) => JSON.parse(String(body)) as DeviceRow)
  } finally {
    database.close()
  }
}
