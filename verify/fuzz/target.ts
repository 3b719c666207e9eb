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
