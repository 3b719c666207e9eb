import type { Detector } from '../detector.ts'
import type { ScoredGroups } from '../row-groups.ts'

/** What a pool sends to its threads. Arrays are in shared memory. */
export type ScoringRequest =
  | { readonly kind: 'learn'; readonly modelId: number; readonly model: Detector }
  | { readonly kind: 'forget'; readonly modelId: number }
  | WorkRequest

/** One thread's part of a job: items [start, end) of the rows, or of the rows to explain. */
export type WorkRequest = {
  readonly kind: 'work'
  readonly jobId: number
  readonly modelId: number
  readonly values: Float64Array
  readonly rowCount: number
  readonly groups: ScoredGroups | undefined
  /** Absent: score all rows. Present: explain these rows. */
  readonly rowIndices: Uint32Array | undefined
  readonly start: number
  readonly end: number
  /** One score per row, or one row of contributions per explained row. */
  readonly out: Float64Array
}

/** What a thread answers to a work request. */
export type ScoringReply =
  | { readonly kind: 'done'; readonly jobId: number }
  | { readonly kind: 'failed'; readonly jobId: number; readonly reason: string }
