import type { Target } from './target.ts'

const hangMs = 100
const maxExamples = 5
/** A slow input counts only if it is slow each time: other programs use the machine too. */
const repeats = 3

/** What one input took, and what is wrong with how it was taken. */
type Attempt = { readonly ms: number; readonly problem: string | undefined }

/** Feeds a target with one input; an error that leaves it is a problem. */
export function attempt(target: Target, input: Buffer): Attempt {
  const startMs = performance.now()
  let problem: string | undefined
  try {
    problem = target.take(input)
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  return { ms: performance.now() - startMs, problem }
}

/** Counts what goes wrong and keeps a few examples of it. */
export class Judge {
  crashes = 0
  hangs = 0
  slowestMs = 0
  readonly examples: string[] = []
  readonly #target: Target

  constructor(target: Target) {
    this.#target = target
  }

  /** Feeds a batch and waits for what goes on behind. */
  async take(batch: readonly Buffer[]): Promise<void> {
    const startMs = performance.now()
    for (const input of batch) {
      const { ms, problem } = attempt(this.#target, input)
      this.slowestMs = Math.max(this.slowestMs, ms)
      if (problem === undefined) continue
      this.crashes += 1
      this.#note(input, problem)
    }
    await this.#target.settle()
    if (performance.now() - startMs > hangMs) await this.#findHangs(batch)
  }

  /** Feeds a batch that took long one by one. */
  async #findHangs(batch: readonly Buffer[]): Promise<void> {
    for (const input of batch) {
      let ms = Number.POSITIVE_INFINITY
      for (let i = 0; ms > hangMs && i < repeats; i++) {
        const startMs = performance.now()
        attempt(this.#target, input)
        await this.#target.settle()
        ms = Math.min(ms, performance.now() - startMs)
      }
      if (ms <= hangMs) continue
      this.hangs += 1
      this.#note(input, `${ms.toFixed(0)} ms`)
    }
  }

  #note(input: Buffer, problem: string): void {
    if (this.examples.length < maxExamples) {
      this.examples.push(`${input.toString('base64')}: ${problem}`)
    }
  }
}
