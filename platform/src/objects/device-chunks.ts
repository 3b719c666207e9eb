import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StateDatabase } from './state-database.ts'

/**
 * Number of chunks the devices are spread over. A chunk of a fleet of 100,000 is about 800 devices:
 * few enough writes for all of them, small enough that nothing waits long behind one.
 */
const chunkCount = 128

/** FNV-1a, 32 bits: spreads device ids over chunks, the same way in every run. */
function chunkOf(deviceId: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < deviceId.length; index++) {
    hash = Math.imul(hash ^ deviceId.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % chunkCount
}

/** A value per device, in memory, with a copy on disk that is written chunk by chunk. */
export type DeviceChunks<V> = {
  readonly get: (deviceId: string) => V | undefined
  /** Changes memory at once; the disk follows with `flush`. */
  readonly set: (deviceId: string, value: V) => void
  /** Writes the chunks that changed, each on its own; others may write in between. */
  readonly flush: () => Promise<{ readonly chunksWritten: number }>
}

/** Opens one named part of the device state. @param part `scores`, `heard` */
export async function openDeviceChunks<V>(
  database: StateDatabase,
  part: string,
): Promise<DeviceChunks<V>> {
  const chunks = Array.from({ length: chunkCount }, () => new Map<string, V>())
  const stored = await database
    .selectFrom('device_live')
    .select(['chunk', 'body'])
    .where('part', '=', part)
    .execute()
  for (const { chunk, body } of stored) {
    for (const [deviceId, value] of Object.entries<V>(JSON.parse(body))) {
      chunks[chunk]?.set(deviceId, value)
    }
  }
  const dirty = new Set<number>()
  return {
    get: (deviceId) => chunks[chunkOf(deviceId)]!.get(deviceId),
    set: (deviceId, value) => {
      const chunk = chunkOf(deviceId)
      chunks[chunk]!.set(deviceId, value)
      dirty.add(chunk)
    },
    flush: async () => {
      const waiting = [...dirty]
      for (const chunk of waiting) {
        const body = JSON.stringify(Object.fromEntries(chunks[chunk]!))
        dirty.delete(chunk)
        await database
          .insertInto('device_live')
          .values({ part, chunk, body })
          .onConflict((conflict) => conflict.columns(['part', 'chunk']).doUpdateSet({ body }))
          .execute()
          .catch((cause: unknown) => {
            dirty.add(chunk)
            throw cause
          })
        await nextTurn()
      }
      return { chunksWritten: waiting.length }
    },
  }
}
