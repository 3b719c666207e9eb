import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AnomalyError,
  createRandom,
  decodeModel,
  encodeModel,
  nextIndex,
  parseDetector,
} from '@isotherm/anomaly'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const kept = join(import.meta.dirname, '..', 'anomaly', 'testing')
const FLIPS = 300

type Hashes = Readonly<Record<string, { readonly model: string; readonly scores: string }>>

/** Fits every kind in a process of its own. */
function hashesOf(threads: number, folder: string): Promise<Hashes> {
  const script = join(import.meta.dirname, 'anomaly', 'model-bytes.ts')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, String(threads), folder], (error, output) =>
      error === null ? resolve(JSON.parse(output) as Hashes) : reject(error),
    )
  })
}

/** Kinds whose bytes or scores are not the same in all runs. */
function differing(runs: readonly Hashes[]): readonly string[] {
  const [first = {}] = runs
  return Object.keys(first).filter((kind) =>
    runs.some((run) => JSON.stringify(run[kind]) !== JSON.stringify(first[kind])),
  )
}

/** Damaged files that were taken for whole: every header byte, and a sample of the rest. */
function acceptedDamage(bytes: Uint8Array, seed: number): number {
  const random = createRandom(seed)
  const places = new Set([
    ...Array.from({ length: 16 }, (_, i) => i),
    ...Array.from({ length: FLIPS }, () => nextIndex(random, bytes.length)),
  ])
  let accepted = 0
  for (const place of places) {
    const damaged = bytes.slice()
    damaged[place] = (damaged[place] ?? 0) ^ (1 << nextIndex(random, 8))
    if (!isRefused(damaged)) accepted += 1
  }
  if (!isRefused(bytes.slice(0, bytes.length - 1))) accepted += 1
  return accepted
}

function isRefused(bytes: Uint8Array): boolean {
  try {
    decodeModel(bytes)
    return false
  } catch (error) {
    if (error instanceof AnomalyError && error.code === 'MODEL_FILE_INVALID') return true
    throw error
  }
}

/** Files that earlier releases wrote: each must load, and be written again as it is now. */
function keptFiles(): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
  const folder = join(kept, 'kept-model-files')
  return readdirSync(folder).map((name) => ({
    name,
    bytes: Uint8Array.from(Buffer.from(readFileSync(join(folder, name), 'utf8'), 'base64')),
  }))
}

/** Model files: reproducible, checked, and readable for ever. */
export const promised: Promised = {
  id: 'F13',
  title: 'model files: same bytes on 1 and 2 threads, damage refused, kept files load',
  unit: 'kinds of model with the same bytes in 4 runs',
  bar: '1 and 2 threads, two runs each: same bytes and scores; a flipped byte is refused; files of every format kept load',
  quick: true,
  limitSeconds: 180,
  run: async (report) => {
    const folder = temporaryFolder('f13')
    try {
      const runs: Hashes[] = []
      for (const threads of [1, 2, 1, 2]) runs.push(await hashesOf(threads, folder.path))
      const different = differing(runs)
      const kinds = Object.keys(runs[0] ?? {})
      report(`${kinds.length} kinds in 4 runs, different: ${different.join(', ') || 'none'}`)
      let accepted = 0
      for (const [seed, kind] of kinds.entries()) {
        const bytes = Uint8Array.from(readFileSync(join(folder.path, `${kind}.model`)))
        const isSame = Buffer.from(encodeModel(parseOf(bytes))).equals(bytes)
        if (!isSame) accepted += 1
        accepted += acceptedDamage(bytes, seed)
      }
      report(`damaged files accepted: ${accepted}`)
      const files = keptFiles()
      const detectors = files.filter(({ bytes }) => kinds.some((kind) => kind === kindOf(bytes)))
      const loaded = new Set(detectors.map(({ bytes }) => parseOf(bytes).kind))
      report(`${files.length} kept files decoded, detectors of ${loaded.size} kinds loaded`)
      return {
        ok: different.length === 0 && accepted === 0 && loaded.size === kinds.length,
        value: kinds.length - different.length,
        detail: { kinds, different, accepted, keptFiles: files.length },
      }
    } finally {
      folder.remove()
    }
  },
}

function parseOf(bytes: Uint8Array) {
  return parseDetector(decodeModel(bytes))
}

/** The kind that a file says it holds. */
function kindOf(bytes: Uint8Array): unknown {
  const state = decodeModel(bytes)
  return typeof state === 'object' && state !== null && 'kind' in state ? state.kind : undefined
}
