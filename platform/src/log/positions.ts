import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { IsothermError } from '../contracts/index.ts'
import { syncDirectory } from './segment-file.ts'

type Stored = Record<string, Record<string, number>>

function readStored(path: string): Stored {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    // No file yet means no position yet; every other failure is one.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
  try {
    return JSON.parse(text) as Stored
  } catch (cause) {
    throw new IsothermError(
      'LOG_DAMAGED',
      `consumer positions ${path}: not JSON; delete the file, consumers then resume from their tables`,
      { cause },
    )
  }
}

/** Positions of consumer groups, replaced as a whole file so that a crash leaves old or new. */
export class Positions {
  readonly #path: string
  readonly #groups: Map<string, Map<number, number>>
  #saving: Promise<void> | undefined
  #nextSave: Promise<void> | undefined

  constructor(path: string) {
    this.#path = path
    this.#groups = new Map(
      Object.entries(readStored(path)).map(([group, partitions]) => [
        group,
        new Map(Object.entries(partitions).map(([partition, at]) => [Number(partition), at])),
      ]),
    )
  }

  get(group: string, partition: number): number | undefined {
    return this.#groups.get(group)?.get(partition)
  }

  /** Every position that was ever committed. */
  all(): readonly {
    readonly group: string
    readonly partition: number
    readonly position: number
  }[] {
    return [...this.#groups].flatMap(([group, partitions]) =>
      [...partitions].map(([partition, position]) => ({ group, partition, position })),
    )
  }

  /** The lowest position of all groups; undefined while no group has committed one. */
  lowest(partition: number): number | undefined {
    const known = [...this.#groups.values()].map((partitions) => partitions.get(partition) ?? 0)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  /** Stores a position; resolves when it is on disk. */
  commit(group: string, partition: number, offset: number): Promise<void> {
    if (group === '' || group === '$Default') {
      throw new IsothermError(
        'INPUT_INVALID',
        `consumer group "${group}": a group has a name of its own, ING-19; name the consumer`,
      )
    }
    const partitions = this.#groups.get(group) ?? new Map<number, number>()
    this.#groups.set(group, partitions.set(partition, offset))
    return this.#save()
  }

  /** Commits that arrive while a save runs share the next one. */
  #save(): Promise<void> {
    if (this.#saving === undefined) {
      this.#saving = this.#write().finally(() => {
        this.#saving = undefined
      })
      return this.#saving
    }
    this.#nextSave ??= this.#saving
      .catch(() => 'the failed save rejects for its own callers')
      .then(() => {
        this.#nextSave = undefined
        return this.#save()
      })
    return this.#nextSave
  }

  async #write(): Promise<void> {
    const stored = Object.fromEntries(
      [...this.#groups].map(([group, partitions]) => [group, Object.fromEntries(partitions)]),
    )
    const temporary = `${this.#path}.new`
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(`${JSON.stringify(stored, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#path)
    syncDirectory(dirname(this.#path))
  }
}
