import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Coverage } from './coverage.ts'
import { attempt, Judge } from './judge.ts'
import { mutate } from './mutate.ts'
import { Random } from './random.ts'
import type { Target } from './target.ts'

/** What a run found. */
export type Findings = {
  readonly inputs: number
  readonly crashes: number
  readonly hangs: number
  readonly slowestMs: number
  readonly growthMib: number
  readonly blocks: number
  /** First few findings: input in base64 and what happened. */
  readonly examples: readonly string[]
  /** Inputs that reached new code. */
  readonly corpus: readonly Buffer[]
}

/** Inputs between two looks at the coverage, which is expensive. */
const batchSize = 250
const restMs = 1_500

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/** Finds the inputs of a batch that reach the blocks it was first to reach, by halving it. */
async function thoseThatReach(
  fresh: Set<string>,
  batch: readonly Buffer[],
  target: Target,
  coverage: Coverage,
): Promise<readonly Buffer[]> {
  // What throws was judged before; it runs again for its blocks alone.
  for (const input of batch) attempt(target, input)
  await target.settle()
  const reached = [...coverage.take()].filter((block) => fresh.has(block))
  if (reached.length === 0) return []
  if (batch.length === 1) {
    for (const block of reached) fresh.delete(block)
    return batch
  }
  const half = batch.length >> 1
  const first = await thoseThatReach(fresh, batch.slice(0, half), target, coverage)
  if (fresh.size === 0) return first
  return [...first, ...(await thoseThatReach(fresh, batch.slice(half), target, coverage))]
}

/** Memory in use once everything is at rest, MiB. */
async function usedMib(target: Target, collect: () => void): Promise<number> {
  await target.settle()
  // Connections that were closed linger for a second.
  await wait(restMs)
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

/** Feeds a target with mutated inputs, going on from those that reached code nobody had reached. */
export async function fuzz(
  target: Target,
  options: {
    readonly count: number
    readonly seed: number
    /** Inputs at the beginning whose coverage is looked at; it slows the code down a lot. */
    readonly guidedCount: number
  },
): Promise<Findings> {
  const random = new Random(options.seed)
  const collect = collector()
  const judge = new Judge(target)
  const corpus = [...target.seeds]
  let coverage = options.guidedCount > 0 ? new Coverage(target.isWatched) : undefined
  let blocks = 0
  let warmMib = Number.NaN
  await judge.take(target.seeds)
  coverage?.takeNew()
  for (let done = 0; done < options.count; done += batchSize) {
    const size = Math.min(batchSize, options.count - done)
    const batch = Array.from({ length: size }, () =>
      mutate(random.one(corpus), random, target.words, random.one(corpus)),
    )
    await judge.take(batch)
    if (Number.isNaN(warmMib) && done >= options.count / 5) warmMib = await usedMib(target, collect)
    if (coverage === undefined) continue
    const fresh = coverage.takeNew()
    if (fresh.size > 0) corpus.push(...(await thoseThatReach(fresh, batch, target, coverage)))
    blocks = coverage.size
    if (done + size < options.guidedCount) continue
    coverage.close()
    coverage = undefined
  }
  const growthMib = (await usedMib(target, collect)) - warmMib
  coverage?.close()
  const { crashes, hangs, slowestMs, examples } = judge
  return {
    inputs: options.count,
    ...{ crashes, hangs, slowestMs: Math.round(slowestMs * 10) / 10 },
    growthMib: Math.round(growthMib * 10) / 10,
    ...{ blocks, examples, corpus },
  }
}
