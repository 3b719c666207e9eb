import { type Detector, explainDetector, scoreDetectorRows } from '../detector.ts'
import type { ScoredGroups } from '../row-groups.ts'

/**
 * Work that threads share: computes items [start, end) of a job from what the threads keep (a
 * model) and what came with the job, and writes them into arrays of `input` that lie in shared
 * memory. What it writes for an item depends on that item alone, never on start and end, so that
 * any cut among any number of threads gives the same bytes.
 */
export type RangeFunction<Kept, Input> = (
  kept: Kept,
  input: Input,
  start: number,
  end: number,
) => void

/** Every function that threads can run, by name. A new one is one line here. */
export const rangeFunctions = {
  score_detector: scoreDetectorRange,
  explain_detector: explainDetectorRange,
}

/** Name of a function that threads can run. */
export type RangeFunctionName = keyof typeof rangeFunctions

/** What the threads keep for this function. */
export type RangeKept<Name extends RangeFunctionName> = Parameters<(typeof rangeFunctions)[Name]>[0]

/** What comes with a job for this function. */
export type RangeInput<Name extends RangeFunctionName> = Parameters<
  (typeof rangeFunctions)[Name]
>[1]

/** Rows to score or to explain, already checked. */
export type DetectorRangeInput = {
  readonly values: Float64Array
  readonly rowCount: number
  readonly groups: ScoredGroups | undefined
  /** Shared: one score per row, or one row of contributions per explained row. */
  readonly out: Float64Array
}

function scoreDetectorRange(
  model: Detector,
  input: DetectorRangeInput,
  start: number,
  end: number,
): void {
  scoreDetectorRows(model, input.values, input.groups, start, end, input.out)
}

function explainDetectorRange(
  model: Detector,
  input: DetectorRangeInput & { readonly rowIndices: Uint32Array },
  start: number,
  end: number,
): void {
  const { values, rowCount, groups, rowIndices, out } = input
  const matrix = { values, rowCount, columnNames: model.columnNames }
  const part = explainDetector(model, matrix, rowIndices.subarray(start, end), groups)
  out.set(part, start * model.columnNames.length)
}
