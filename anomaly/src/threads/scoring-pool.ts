import { type Detector, requireScorable } from '../detector.ts'
import { AnomalyError, invalidOption } from '../errors.ts'
import { type FeatureMatrix, requireRowIndices } from '../feature-matrix.ts'
import type { ScoredGroups } from '../row-groups.ts'
import type { ScoringRequest } from './scoring-message.ts'
import { startScoringThreads } from './scoring-threads.ts'
import { sharedCopy } from './shared-state.ts'

/** Bounds of a scoring pool. */
export type ScoringPoolOptions = {
  /** Jobs accepted and not yet answered; more are refused. Default 64. */
  readonly maxPendingJobs?: number
  /** Models kept in the threads' memory; the least recently used is dropped. Default 8. */
  readonly maxModels?: number
}

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
 * Cost: about 60 ms and 10 MB per thread to start; per job a few microseconds and one copy of the
 * values unless they are shared.
 */
export function createScoringPool(
  threadCount: number,
  options: ScoringPoolOptions = {},
): ScoringPool {
  const { maxPendingJobs = 64, maxModels = 8 } = options
  for (const [name, value] of Object.entries({ threadCount, maxPendingJobs, maxModels })) {
    if (!Number.isInteger(value) || value < 1) throw invalidOption(name, 'an integer ≥ 1', value)
  }
  const threads = startScoringThreads(threadCount)
  const modelIdOf = modelRegistry(maxModels, threads.tell)
  const prepare = (model: Detector, matrix: FeatureMatrix, groups: ScoredGroups | undefined) => {
    const ended = threads.endedBy()
    if (ended !== undefined) throw ended
    const pendingJobs = threads.pendingJobs()
    if (pendingJobs >= maxPendingJobs) throw poolBusy(pendingJobs, maxPendingJobs)
    requireScorable(model, matrix, groups)
    return {
      modelId: modelIdOf(model),
      values: sharedCopy(matrix.values),
      rowCount: matrix.rowCount,
      groups: groups === undefined ? undefined : sharedCopy(groups),
    }
  }

  return {
    threadCount,
    async score(model, matrix, groups) {
      const part = prepare(model, matrix, groups)
      const out = sharedFloats(matrix.rowCount)
      return threads.submit({ ...part, rowIndices: undefined, out }, matrix.rowCount)
    },
    async explain(model, matrix, rowIndices, groups) {
      requireRowIndices(matrix, rowIndices)
      const part = prepare(model, matrix, groups)
      const out = sharedFloats(rowIndices.length * matrix.columnNames.length)
      const shared = sharedCopy(Uint32Array.from(rowIndices))
      return threads.submit({ ...part, rowIndices: shared, out }, rowIndices.length)
    },
    close: () =>
      threads.end(new AnomalyError('POOL_CLOSED', 'scoring pool is closed; create a new one')),
  }
}

function sharedFloats(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * length))
}

function poolBusy(pendingJobs: number, maxPendingJobs: number): AnomalyError {
  return new AnomalyError(
    'POOL_BUSY',
    `scoring pool holds ${pendingJobs} jobs, at most ${maxPendingJobs}; wait for one to settle`,
    { pendingJobs },
  )
}

/** Sends each model to the threads once, and drops the least recently used beyond `maxModels`. */
function modelRegistry(
  maxModels: number,
  send: (request: ScoringRequest) => void,
): (model: Detector) => number {
  // A Map iterates in insertion order: re-inserting a used model keeps the oldest first.
  const idOfModel = new Map<Detector, number>()
  let nextModelId = 0
  return (model) => {
    const known = idOfModel.get(model)
    const modelId = known ?? nextModelId++
    idOfModel.delete(model)
    idOfModel.set(model, modelId)
    if (known === undefined) send({ kind: 'learn', modelId, model: sharedCopy(model) })
    for (const [oldest, oldestId] of idOfModel) {
      if (idOfModel.size <= maxModels) break
      idOfModel.delete(oldest)
      send({ kind: 'forget', modelId: oldestId })
    }
    return modelId
  }
}
