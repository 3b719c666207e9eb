import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FeatureMatrix, featureMatrix } from '@isotherm/anomaly'

const referees = join(import.meta.dirname, '..', '..', 'referees')
const python = join(referees, '.venv', 'bin', 'python')

/** What a task of the Python peers printed, and the matrices it left in the folder. */
export type PeerAnswer<Facts> = Facts & {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** A matrix by name, row-major. */
  readonly values: (name: string) => Float64Array
  /** A matrix by name with columns c0, c1, … */
  readonly matrix: (name: string) => FeatureMatrix
}

/** True once `npm run setup:referees -- python` has installed the peers. */
export function hasPeers(): boolean {
  return existsSync(python)
}

/**
 * Runs one task of `referees/anomaly_peers.py` to its end.
 * @throws with what the task printed when it failed
 */
export async function askPeers<Facts>(
  task: string,
  folder: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<PeerAnswer<Facts>> {
  if (!hasPeers()) {
    throw new Error('the Python peers are missing: npm run setup:referees -- python')
  }
  const script = join(referees, 'anomaly_peers.py')
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      python,
      [script, task, folder, JSON.stringify(options)],
      { maxBuffer: 2 ** 28 },
      (error, out, errors) =>
        error === null
          ? resolve(out)
          : reject(new Error(`peers failed at ${task}: ${errors.slice(-2000)}`)),
    )
  })
  const facts = JSON.parse(output) as Facts & { readonly shapes: Record<string, number[]> }
  const values = (name: string) => readFloats(join(folder, `${name}.f64`))
  const matrix = (name: string) => {
    const width = facts.shapes[name]?.[1] ?? 1
    return featureMatrix(values(name), columnNames(width))
  }
  return { ...facts, values, matrix }
}

/** Writes a matrix for the peers to read. */
export function writeFloats(folder: string, name: string, values: ArrayLike<number>): void {
  const floats = Float64Array.from(values)
  writeFileSync(join(folder, `${name}.f64`), new Uint8Array(floats.buffer))
}

/** Names c0, c1, … */
export function columnNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${index}`)
}

/** Largest |a − b| over the larger of 1 and |b|: absolute for small values, else relative. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const expected = b[i] ?? Number.NaN
    const difference = Math.abs((a[i] ?? Number.NaN) - expected) / Math.max(1, Math.abs(expected))
    // A NaN on either side is as wrong as can be.
    largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference)
  }
  return largest
}

function readFloats(path: string): Float64Array {
  const bytes = readFileSync(path)
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}
