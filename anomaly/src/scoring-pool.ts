import { Worker } from 'node:worker_threads'
import { type Detector, requireScorable } from './detector.ts'
import { AnomalyError, invalidOption } from './errors.ts'
import type { FeatureMatrix } from './feature-matrix.ts'
import { siblingModule } from './module-location.ts'
import type { ScoredGroups } from './robust-baseline-score.ts'
import type { ScoringReply, ScoringRequest } from './scoring-message.ts'
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
  /** Ends the threads; unanswered jobs fail with POOL_CLOSED. Safe to call twice. */
  close(): Promise<void>
}

type Job = {
  repliesMissing: number
  readonly out: Float64Array
  readonly resolve: (scores: Float64Array) => void
  readonly reject: (error: AnomalyError) => void
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
  const jobs = new Map<number, Job>()
  let nextJobId = 0
  let ended: AnomalyError | undefined

  const endWith = (error: AnomalyError) => {
    ended ??= error
    for (const job of jobs.values()) job.reject(error)
    jobs.clear()
  }
  const workers = Array.from({ length: threadCount }, () =>
    startWorker(
      (reply) => settle(jobs, reply),
      (cause) => endWith(workerFailed('a scoring thread ended', cause)),
    ),
  )
  const send = (request: ScoringRequest) => {
    for (const worker of workers) worker.postMessage(request)
  }
  const modelIdOf = modelRegistry(maxModels, send)

  return {
    threadCount,
    async score(model, matrix, groups) {
      if (ended !== undefined) throw ended
      if (jobs.size >= maxPendingJobs) {
        throw new AnomalyError(
          'POOL_BUSY',
          `scoring pool holds ${jobs.size} jobs, at most ${maxPendingJobs}; wait for one to settle`,
          { pendingJobs: jobs.size },
        )
      }
      requireScorable(model, matrix, groups)
      const modelId = modelIdOf(model)
      const values = sharedCopy(matrix.values)
      const shared = groups === undefined ? undefined : sharedCopy(groups)
      const out = new Float64Array(new SharedArrayBuffer(8 * matrix.rowCount))
      const jobId = nextJobId++
      return new Promise((resolve, reject) => {
        jobs.set(jobId, { repliesMissing: threadCount, out, resolve, reject })
        for (const [index, worker] of workers.entries()) {
          const rowStart = Math.floor((matrix.rowCount * index) / threadCount)
          const rowEnd = Math.floor((matrix.rowCount * (index + 1)) / threadCount)
          const range = { rowStart, rowEnd, values, groups: shared, out }
          const request: ScoringRequest = { kind: 'score', jobId, modelId, ...range }
          worker.postMessage(request)
        }
      })
    },
    async close() {
      endWith(new AnomalyError('POOL_CLOSED', 'scoring pool is closed; create a new one'))
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function startWorker(
  onReply: (reply: ScoringReply) => void,
  onEnd: (cause: unknown) => void,
): Worker {
  const worker = new Worker(siblingModule('scoring-worker', import.meta.url))
  worker.on('message', onReply)
  worker.on('error', onEnd)
  worker.on('exit', onEnd)
  return worker
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

function settle(jobs: Map<number, Job>, reply: ScoringReply): void {
  const job = jobs.get(reply.jobId)
  // A job that already failed in another thread is gone.
  if (job === undefined) return
  if (reply.kind === 'failed') {
    jobs.delete(reply.jobId)
    job.reject(workerFailed(reply.reason))
    return
  }
  job.repliesMissing--
  if (job.repliesMissing > 0) return
  jobs.delete(reply.jobId)
  // A copy in ordinary memory: some interfaces refuse views of shared memory.
  job.resolve(job.out.slice())
}

function workerFailed(reason: string, cause?: unknown): AnomalyError {
  return new AnomalyError('WORKER_FAILED', `scoring failed: ${reason}`, { reason }, cause)
}
