import { type Detector, requireScorable } from '../detector.ts'
import { type FeatureMatrix, requireRowIndices } from '../feature-matrix.ts'
import type { ScoredGroups } from '../row-groups.ts'
import { sharedFloats } from './shared-state.ts'
import { createThreadPool, type ThreadPoolOptions } from './thread-pool.ts'

/** Threads that score rows of one matrix side by side. */
export type ScoringPool = {
  readonly threadCount: number
  /**
   * Raw scores, bit for bit those of `scoreDetector`, whatever the number of threads. A matrix
   * made by `sharedFeatureMatrix` is not copied. Do not change it before the promise settles.
   * @throws POOL_BUSY, POOL_CLOSED, WORKER_FAILED, and what the detector's score function throws
   */
  score(model: Detector, matrix: FeatureMatrix, groups?: ScoredGroups): Promise<Float64Array>
  /**
   * Contributions of the given rows, bit for bit those of `explainDetector`: worth it for
   * forests, where one row costs about a millisecond.
   * @throws as `score`, and INVALID_OPTION for a row index outside the matrix
   */
  explain(
    model: Detector,
    matrix: FeatureMatrix,
    rowIndices: ArrayLike<number>,
    groups?: ScoredGroups,
  ): Promise<Float64Array>
  /** Ends the threads; unanswered jobs fail with POOL_CLOSED. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Starts threads for scoring. They live until `close()` and keep the process alive until then.
 * @param threadCount ≥ 1; more than the machine has cores gains nothing
 * @throws INVALID_OPTION
 * Cost: about 60 ms and 10 MB per thread to start; per job some tens of microseconds and one copy
 * of the values unless they are shared.
 */
export function createScoringPool(
  threadCount: number,
  options: ThreadPoolOptions = {},
): ScoringPool {
  const threads = createThreadPool(threadCount, options)
  return {
    threadCount,
    async score(model, matrix, groups) {
      threads.requireReady()
      requireScorable(model, matrix, groups)
      const { values, rowCount } = matrix
      const out = sharedFloats(rowCount)
      await threads.run('score_detector', model, { values, rowCount, groups, out }, rowCount)
      // A copy in ordinary memory: some interfaces refuse views of shared memory.
      return out.slice()
    },
    async explain(model, matrix, rowIndices, groups) {
      threads.requireReady()
      requireScorable(model, matrix, groups)
      requireRowIndices(matrix, rowIndices)
      const { values, rowCount } = matrix
      const out = sharedFloats(rowIndices.length * matrix.columnNames.length)
      const input = { values, rowCount, groups, rowIndices: Uint32Array.from(rowIndices), out }
      await threads.run('explain_detector', model, input, rowIndices.length)
      return out.slice()
    },
    close: threads.close,
  }
}
