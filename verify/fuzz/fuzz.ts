import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Coverage } from './coverage.ts'
import { mutate } from './mutate.ts'
import { Random } from './random.ts'

/** What is fed with mutated inputs. */
export type Target = {
  readonly name: string
  readonly seeds: readonly Buffer[]
  /** Words of the input's language. */
  readonly words: readonly Buffer[]
  /** Takes one input. @returns what is wrong, or undefined @throws what a crash would be */
  readonly take: (input: Buffer) => string | undefined
  /** Waits for what goes on behind; called now and then. */
  readonly settle: () => Promise<void>
  /** Whether a source belongs to what is tested. */
  readonly isWatched: (url: string) => boolean
}

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

export const hangMs = 100
/** Inputs between two looks at the coverage, which is expensive. */
const batchSize = 250
const maxExamples = 5
const restMs = 1_500
/** A slow input counts only if it is slow again: other programs use the machine too. */
const repeats = 3

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

type Attempt = { readonly ms: number; readonly problem: string | undefined }

function attempt(target: Target, input: Buffer): Attempt {
  const startMs = performance.now()
  let problem: string | undefined
  try {
    problem = target.take(input)
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  return { ms: performance.now() - startMs, problem }
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
  const corpus = [...target.seeds]
  const examples: string[] = []
  let coverage = options.guidedCount > 0 ? new Coverage(target.isWatched) : undefined
  let blocks = 0
  let crashes = 0
  let hangs = 0
  let slowestMs = 0
  let warmMib = Number.NaN

  const judge = (input: Buffer) => {
    const first = attempt(target, input)
    let { ms } = first
    for (let i = 0; ms > hangMs && i < repeats; i++) ms = Math.min(ms, attempt(target, input).ms)
    slowestMs = Math.max(slowestMs, ms)
    if (ms > hangMs) hangs += 1
    if (first.problem !== undefined) crashes += 1
    const problem = ms > hangMs ? `${ms.toFixed(0)} ms` : first.problem
    if (problem !== undefined && examples.length < maxExamples) {
      examples.push(`${input.toString('base64')}: ${problem}`)
    }
  }
  const usedMib = async () => {
    await target.settle()
    // Connections that were closed linger for a second.
    await wait(restMs)
    collect()
    return process.memoryUsage().heapUsed / 2 ** 20
  }

  for (const seed of target.seeds) judge(seed)
  coverage?.takeNew()
  for (let done = 0; done < options.count; done += batchSize) {
    const size = Math.min(batchSize, options.count - done)
    const batch = Array.from({ length: size }, () =>
      mutate(random.one(corpus), random, target.words, random.one(corpus)),
    )
    for (const input of batch) judge(input)
    await target.settle()
    if (Number.isNaN(warmMib) && done >= options.count / 5) warmMib = await usedMib()
    if (done >= options.guidedCount && coverage !== undefined) {
      blocks = coverage.size
      coverage.close()
      coverage = undefined
    }
    const fresh = coverage?.takeNew()
    if (coverage !== undefined && fresh !== undefined && fresh.size > 0) {
      corpus.push(...(await thoseThatReach(fresh, batch, target, coverage)))
    }
  }
  const growthMib = (await usedMib()) - warmMib
  blocks = coverage?.size ?? blocks
  coverage?.close()
  return {
    inputs: options.count,
    crashes,
    hangs,
    slowestMs: Math.round(slowestMs * 10) / 10,
    growthMib: Math.round(growthMib * 10) / 10,
    blocks,
    examples,
    corpus,
  }
}
