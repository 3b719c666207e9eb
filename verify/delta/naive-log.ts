import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type NaiveAction = {
  readonly add?: { readonly path: string; readonly dataChange: boolean }
  readonly remove?: {
    readonly path: string
    readonly dataChange: boolean
    readonly deletionTimestamp?: number
  }
}

/** A commit as a person would read it: the file, parsed line by line. */
export function naiveCommit(folder: string, version: number): readonly NaiveAction[] {
  const name = `${String(version).padStart(20, '0')}.json`
  const text = readFileSync(join(folder, '_delta_log', name), 'utf8')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as NaiveAction)
}

/** Versions whose commit files are there, in order. */
export function naiveVersions(folder: string): readonly number[] {
  return readdirSync(join(folder, '_delta_log'))
    .filter((name) => /^\d{20}\.json$/.test(name))
    .map((name) => Number(name.slice(0, 20)))
    .toSorted((a, b) => a - b)
}

/** Paths of the live files after the commits `versions`, from nothing but the commits. */
export function naiveFiles(folder: string, versions: readonly number[]): readonly string[] {
  const live = new Set<string>()
  for (const version of versions) {
    const actions = naiveCommit(folder, version)
    for (const { remove } of actions) if (remove) live.delete(remove.path)
    for (const { add } of actions) if (add) live.add(add.path)
  }
  return [...live].map((path) => decodeURIComponent(path))
}
