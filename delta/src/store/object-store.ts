import { PathOutsideTable } from '../errors.ts'

/** One object of a store. */
export interface StoredObject {
  /** Relative to the store's root, parts separated by `/`. */
  readonly path: string
  readonly sizeBytes: number
  /** Time of the last change, milliseconds since 1970. */
  readonly modifiedMs: number
}

/** Details of a write. */
export interface PutOptions {
  /** Modification time to give the object; default: the store's clock. */
  readonly modifiedMs?: number
}

/** Details of a listing. */
export interface ListOptions {
  /** Leave out every path up to and including this one; saves the look-up of old objects. */
  readonly startAfter?: string
}

/**
 * Where a table lives: four functions, so that any object storage can stand behind it.
 * Paths are relative to the root, use `/`, and never hold an empty, `.` or `..` part.
 */
export interface ObjectStore {
  /** Name of the place in messages, for instance the folder. */
  readonly location: string
  /** Folder with the same objects as files, where there is one: the SQL engine reads and writes there. */
  readonly localFolder?: string
  /**
   * The whole object.
   * @throws ObjectNotFound
   */
  readonly read: (path: string) => Promise<Uint8Array>
  /**
   * Writes the object unless the path is taken. Of many rivals exactly one gets true, and true means
   * the object is whole and durable. No reader ever sees a part of it.
   */
  readonly putIfAbsent: (path: string, bytes: Uint8Array, options?: PutOptions) => Promise<boolean>
  /** The objects whose path begins with `prefix`, sorted by path in UTF-16 code units. */
  readonly list: (prefix: string, options?: ListOptions) => Promise<readonly StoredObject[]>
  /** Deletes the object; nothing happens if there is none. */
  readonly remove: (path: string) => Promise<void>
}

/**
 * What every store checks before it touches anything.
 * @throws PathOutsideTable if a part of the path is empty, `.` or `..`
 */
export function checkObjectPath(path: string, location: string): void {
  if (!path.split('/').some((part) => part === '' || part === '.' || part === '..')) return
  throw new PathOutsideTable({
    table: location,
    where: `path ${JSON.stringify(path)}`,
    what: 'not a path inside the store',
    fix: 'use parts other than empty, "." and "..", separated by "/"',
  })
}
