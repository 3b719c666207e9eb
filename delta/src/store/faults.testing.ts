import type { ObjectStore } from './object-store.ts'

/** What goes wrong with one call: nothing, before it has an effect, or after (the answer is lost). */
export type Fault = 'none' | 'before' | 'after'

/** The error of a fault. */
export class InjectedFault extends Error {}

/** A store whose calls fail as `faults` say, one entry per call; past the end all is well. */
export function faultyStore(store: ObjectStore, faults: readonly Fault[]): ObjectStore {
  let calls = 0
  const guarded = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
    const fault = faults[calls++] ?? 'none'
    if (fault === 'before') throw new InjectedFault(`${name} failed`)
    const result = await call()
    if (fault === 'after') throw new InjectedFault(`the answer of ${name} was lost`)
    return result
  }
  return {
    ...store,
    read: (path) => guarded('read', () => store.read(path)),
    putIfAbsent: (path, bytes, options) =>
      guarded('putIfAbsent', () => store.putIfAbsent(path, bytes, options)),
    list: (prefix, options) => guarded('list', () => store.list(prefix, options)),
    remove: (path) => guarded('remove', () => store.remove(path)),
  }
}
