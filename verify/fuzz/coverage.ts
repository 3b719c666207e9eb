import { type Profiler, Session } from 'node:inspector'

/** Counts which blocks of some sources have run, with V8's block coverage. */
export class Coverage {
  readonly #session = new Session()
  readonly #isWatched: (url: string) => boolean
  readonly #seen = new Set<string>()

  constructor(isWatched: (url: string) => boolean) {
    this.#isWatched = isWatched
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Blocks seen so far. */
  get size(): number {
    return this.#seen.size
  }

  /** Blocks that ran since it was asked last. */
  take(): ReadonlySet<string> {
    const blocks = new Set<string>()
    // A session of the own thread answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error === null) for (const script of result) this.#add(script, blocks)
    })
    return blocks
  }

  /** Those of `take` that have never run before. */
  takeNew(): Set<string> {
    const fresh = new Set([...this.take()].filter((block) => !this.#seen.has(block)))
    for (const block of fresh) this.#seen.add(block)
    return fresh
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  #add(script: Profiler.ScriptCoverage, blocks: Set<string>): void {
    if (!this.#isWatched(script.url)) return
    for (const { ranges } of script.functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        if (count > 0) blocks.add(`${script.url} ${startOffset} ${endOffset}`)
      }
    }
  }
}
