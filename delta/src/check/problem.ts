/** What kind of fault a check found. */
export type ProblemCode =
  | 'LOG_GAP'
  | 'COMMIT_UNREADABLE'
  | 'COMMIT_CONTRADICTS'
  | 'CHECKPOINT_UNREADABLE'
  | 'CHECKPOINT_DIFFERS'
  | 'CHECKSUM_UNREADABLE'
  | 'CHECKSUM_DIFFERS'
  | 'HINT_WRONG'
  | 'FILE_MISSING'
  | 'FILE_SIZE_DIFFERS'
  | 'FILE_UNREADABLE'
  | 'ROW_COUNT_DIFFERS'
  | 'STATISTICS_LIE'
  | 'VECTOR_UNREADABLE'

/** One fault of a table. */
export interface Problem {
  readonly code: ProblemCode
  /** `error`: rows or versions are wrong or lost for some reader. `warning`: work is lost, no rows. */
  readonly severity: 'error' | 'warning'
  /** File, version or column concerned. */
  readonly where: string
  readonly what: string
  readonly expected?: string
  readonly found?: string
  /** What can be done now. */
  readonly fix: string
}

/** Where a check writes down what it finds and how far it is. */
export interface Findings {
  readonly add: (problem: Problem) => void
  /** A further thing looked at; `label` is its kind in the plural, for instance `commits`. */
  readonly looked: (label: keyof CheckCounts, done?: number, total?: number) => void
}

/** How many things a check looked at. */
export interface CheckCounts {
  readonly commits: number
  readonly checkpoints: number
  readonly checksums: number
  readonly files: number
  readonly statistics: number
}
