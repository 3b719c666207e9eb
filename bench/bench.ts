import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A timed case; `units` is how much work one run does. */
export type BenchCase = {
  readonly name: string
  readonly units: number
  readonly run: () => Promise<void> | void
}

/** A benchmark: what it measures, on how much, against which peers. */
export type Bench = {
  readonly title: string
  readonly size: string
  readonly unit: string
  readonly rounds: number
  readonly prepare: () => Promise<{
    readonly cases: readonly BenchCase[]
    readonly close: () => Promise<void>
  }>
}

/** Median, smallest and largest of some seconds. */
export function spreadOf(seconds: readonly number[]): {
  readonly median: number
  readonly low: number
  readonly high: number
} {
  const sorted = seconds.toSorted((a, b) => a - b)
  return {
    median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    low: sorted[0] ?? Number.NaN,
    high: sorted.at(-1) ?? Number.NaN,
  }
}

/** Recorded rate of a case, units per second, from baselines.json. */
export function baselineOf(bench: string, name: string): number | undefined {
  const path = join(import.meta.dirname, 'baselines.json')
  const baselines = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, number>>
  return baselines[bench]?.[name]
}
