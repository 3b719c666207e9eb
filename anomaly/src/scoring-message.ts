import type { Detector } from './detector.ts'
import type { ScoredGroups } from './robust-baseline-score.ts'

/** What a pool sends to its threads. Arrays are in shared memory. */
export type ScoringRequest =
  | { readonly kind: 'learn'; readonly modelId: number; readonly model: Detector }
  | { readonly kind: 'forget'; readonly modelId: number }
  | {
      readonly kind: 'score'
      readonly jobId: number
      readonly modelId: number
      readonly values: Float64Array
      readonly groups: ScoredGroups | undefined
      readonly rowStart: number
      readonly rowEnd: number
      readonly out: Float64Array
    }

/** What a thread answers to a score request. */
export type ScoringReply =
  | { readonly kind: 'done'; readonly jobId: number }
  | { readonly kind: 'failed'; readonly jobId: number; readonly reason: string }
