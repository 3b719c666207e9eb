/** What one run of a promise measured. */
export type Verdict = {
  readonly ok: boolean
  readonly value: number
  /** Anything a reader needs to judge the value: seconds per stage, the parts of a sum. */
  readonly detail?: Readonly<Record<string, unknown>>
}

/** One promise of the project with the measurement that proves it. */
export type Promised = {
  readonly id: string
  readonly title: string
  readonly unit: string
  /** The bar in words, for example `<= 1 s`. */
  readonly bar: string
  /** True when it is short enough and light enough for every run of continuous integration. */
  readonly quick: boolean
  /** Longest time it may take, in seconds; it fails when it takes longer. */
  readonly limitSeconds: number
  readonly run: (report: (line: string) => void) => Promise<Verdict>
}
