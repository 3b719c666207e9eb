import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type DoorNote, IsothermError } from '../contracts/index.ts'

/** `<epoch ms> <kind> <count> <device as JSON>`; a line torn by a crash does not match. */
const linePattern = /^(\d+) (DUPLICATE|OVER_RATE|LOG_UNAVAILABLE) (\d+) ("(?:[^"\\]|\\.)*")$/
const namePattern = /^door-(\d+)\.txt$/
const nameOf = (number: number) => `door-${number}.txt`

function noteOf(line: string): DoorNote | undefined {
  const [, at, kind, count, device = ''] = linePattern.exec(line) ?? []
  if (kind !== 'DUPLICATE' && kind !== 'OVER_RATE' && kind !== 'LOG_UNAVAILABLE') return undefined
  return { deviceId: JSON.parse(device) as string, atMs: Number(at), kind, count: Number(count) }
}

/** Numbers of the journals in a folder, oldest first. */
function journalNumbers(directory: string): readonly number[] {
  return readdirSync(directory)
    .flatMap((name) => namePattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

/** Notes of the whole lines of a journal. */
export function readJournal(directory: string, number: number): readonly DoorNote[] {
  const lines = readFileSync(join(directory, nameOf(number)), 'utf8').split('\n')
  // What follows the last line end was never acknowledged.
  return lines.slice(0, -1).flatMap((line) => noteOf(line) ?? [])
}

/**
 * Notes between two flushes of the ledger, on disk before a repeat is acknowledged. All notes that
 * wait share one write and one fdatasync.
 */
export class DoorJournal {
  readonly #directory: string
  #number: number
  #file: FileHandle | undefined
  #sizeBytes = 0
  #isTorn = false
  #lines: string[] = []
  #waiters: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = []
  #writing: Promise<void> | undefined

  constructor(directory: string, after: number) {
    this.#directory = directory
    this.#number = Math.max(after, journalNumbers(directory).at(-1) ?? 0) + 1
  }

  add(notes: readonly DoorNote[]): Promise<void> {
    if (notes.length === 0) return Promise.resolve()
    for (const { deviceId, atMs, kind, count } of notes) {
      this.#lines.push(`${atMs} ${kind} ${count} ${JSON.stringify(deviceId)}\n`)
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** Begins a new journal; returns the numbers of those before, whole on disk. */
  async rotate(): Promise<readonly number[]> {
    while (this.#writing !== undefined) await this.#writing
    if (this.#file !== undefined) {
      const file = this.#file
      const tornAt = this.#isTorn ? this.#sizeBytes : undefined
      // All at once: a note that comes while the old file is cut goes to a new one.
      this.#file = undefined
      this.#isTorn = false
      this.#sizeBytes = 0
      this.#number++
      try {
        if (tornAt !== undefined) await file.truncate(tornAt)
      } finally {
        await file.close()
      }
    }
    const current = this.#number
    return journalNumbers(this.#directory).filter((number) => number < current)
  }

  /** Deletes journals that the ledger holds. */
  removeUpTo(last: number): void {
    for (const number of journalNumbers(this.#directory)) {
      if (number <= last) rmSync(join(this.#directory, nameOf(number)), { force: true })
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#waiters.length > 0) {
      const text = this.#lines.join('')
      const waiters = this.#waiters
      this.#lines = []
      this.#waiters = []
      try {
        await this.#write(Buffer.from(text))
        for (const { resolve } of waiters) resolve()
      } catch (cause) {
        const error = new IsothermError(
          'DISK_FULL',
          `ledger ${this.#directory}: repeats cannot be noted, so they are not acknowledged: ` +
            `${cause instanceof Error ? cause.message : String(cause)}; free disk space`,
          { cause },
        )
        for (const { reject } of waiters) reject(error)
      }
    }
    this.#writing = undefined
  }

  /** A new journal, its name durable too: without it a power loss could take the file. */
  async #create(): Promise<FileHandle> {
    const file = await open(join(this.#directory, nameOf(this.#number)), 'a')
    const folder = await open(this.#directory, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
    this.#file = file
    return file
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = this.#file ?? (await this.#create())
    // A write that ended half-way before: its notes were refused and must not count.
    if (this.#isTorn) await file.truncate(this.#sizeBytes)
    this.#isTorn = true
    await file.appendFile(bytes)
    await file.datasync()
    this.#isTorn = false
    this.#sizeBytes += bytes.length
  }
}
