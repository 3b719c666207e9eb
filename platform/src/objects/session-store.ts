import { sql } from 'kysely'
import type { SessionStore } from '../contracts/index.ts'
import type { StateDatabase } from './state-database.ts'

type Change = { readonly device_id: string; readonly subscriptions: number | null }

async function write(database: StateDatabase, changes: readonly Change[]): Promise<void> {
  const json = JSON.stringify(changes)
  await database.transaction().execute(async (transaction) => {
    await sql`
      DELETE FROM mqtt_sessions
      WHERE device_id IN (SELECT value ->> 'device_id' FROM json_each(${json}))`.execute(
      transaction,
    )
    await sql`
      INSERT INTO mqtt_sessions (device_id, subscriptions)
      SELECT value ->> 'device_id', value ->> 'subscriptions' FROM json_each(${json})
      WHERE value ->> 'subscriptions' IS NOT NULL`.execute(transaction)
  })
}

/**
 * Opens the sessions over their table. All of them are in memory, a number per device; changes of a
 * reconnecting fleet are written together.
 */
export async function openSessionStore(database: StateDatabase): Promise<SessionStore> {
  const rows = await database.selectFrom('mqtt_sessions').selectAll().execute()
  const current = new Map(rows.map((row) => [row.device_id, row.subscriptions]))
  let waiting = new Map<string, number | undefined>()
  let last: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  const flush = async () => {
    const changes = [...waiting].map(([device_id, subscriptions]) => ({
      device_id,
      subscriptions: subscriptions ?? null,
    }))
    waiting = new Map()
    next = undefined
    await write(database, changes)
  }
  return {
    subscriptionsOf: (deviceId) => current.get(deviceId),
    keep: async (deviceId, subscriptions) => {
      const isSame = current.get(deviceId) === subscriptions && !waiting.has(deviceId)
      // What is being written may still be on its way to the disk.
      if (isSame) return last
      if (subscriptions === undefined) current.delete(deviceId)
      else current.set(deviceId, subscriptions)
      waiting.set(deviceId, subscriptions)
      next ??= last.then(flush, flush)
      last = next
      return last
    },
  }
}
