import { ObjectNotFound } from '../errors.ts'
import type { Host } from '../host.ts'
import { systemHost } from '../host.ts'
import type { ObjectStore } from './object-store.ts'
import { checkObjectPath } from './object-store.ts'

/**
 * An object store in memory, for tests and for trying things out. It has no local folder, so data
 * files cannot be written to it by SQL; the log works in full.
 */
export function memoryStore(options: { readonly host?: Host } = {}): ObjectStore {
  const host = options.host ?? systemHost
  const objects = new Map<string, { readonly bytes: Uint8Array; readonly modifiedMs: number }>()
  return {
    location: 'memory',
    read: async (path) => {
      const object = objects.get(path)
      if (object === undefined) {
        throw new ObjectNotFound({
          table: 'memory',
          where: path,
          what: 'no such object',
          fix: 'check the path',
        })
      }
      return object.bytes.slice()
    },
    putIfAbsent: async (path, bytes, put = {}) => {
      checkObjectPath(path, 'memory')
      if (objects.has(path)) return false
      objects.set(path, { bytes: bytes.slice(), modifiedMs: put.modifiedMs ?? host.nowMs() })
      return true
    },
    list: async (prefix, { startAfter = '' } = {}) =>
      [...objects]
        .filter(([path]) => path.startsWith(prefix) && path > startAfter)
        .map(([path, { bytes, modifiedMs }]) => ({ path, sizeBytes: bytes.length, modifiedMs }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    remove: async (path) => {
      objects.delete(path)
    },
  }
}
