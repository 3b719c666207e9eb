import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const folder = join(import.meta.dirname, 'corpus')
/** Inputs kept in a file; more would only be mutated more seldom each. */
const maxKept = 400
const maxKeptBytes = 4_000

const fileOf = (name: string) => join(folder, `${name}.base64.txt`)

/** Inputs that once reached new code, one line of base64 each. */
export function readCorpus(name: string): readonly Buffer[] {
  const file = fileOf(name)
  if (!existsSync(file)) return []
  return readFileSync(file, 'latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'base64'))
}

/** Keeps inputs for later runs, short ones first. */
export function writeCorpus(name: string, inputs: readonly Buffer[]): void {
  const lines = new Set(
    inputs
      .filter(({ length }) => length <= maxKeptBytes)
      .toSorted((a, b) => a.length - b.length)
      .map((bytes) => bytes.toString('base64')),
  )
  mkdirSync(dirname(fileOf(name)), { recursive: true })
  writeFileSync(fileOf(name), [...lines].slice(0, maxKept).join('\n').concat('\n'))
}
