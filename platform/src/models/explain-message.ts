import type { Detector, FeatureMatrix } from '@isotherm/anomaly'

/** Rows to explain under a detector that needs no groups. */
export type ExplainRequest = { readonly detector: Detector; readonly input: FeatureMatrix }

/** Contributions row by row, or why there are none. */
export type ExplainReply =
  | { readonly kind: 'done'; readonly contributions: Float64Array }
  | { readonly kind: 'failed'; readonly reason: string }
