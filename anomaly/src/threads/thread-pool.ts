import { AnomalyError, invalidOption } from '../errors.ts'
import type { RangeFunctionName, RangeInput, RangeKept } from './range-functions.ts'
import { sharedCopy } from './shared-state.ts'
import type { WorkerRequest } from './worker-message.ts'
import { startWorkers } from './worker-set.ts'

/** Bounds of a pool of threads. */
export type ThreadPoolOptions = {
  /** Jobs accepted and not yet answered; more are refused. Default 64. */
  readonly maxPendingJobs?: number
  /** Models kept in the threads' memory; the least recently used is dropped. Default 8. */
  readonly maxModels?: number
}

/** Threads that run one function over many items side by side. */
export type ThreadPool = {
  readonly threadCount: number
  /** @throws POOL_BUSY, POOL_CLOSED or WORKER_FAILED if the next job would not be taken. */
  requireReady(): void
  /**
   * Runs a named function (`range-functions.ts`) over items [0, itemCount), cut in any way.
   * @param kept plain data that many jobs use, such as a model: sent to the threads once
   * @param input plain data of this job. Arrays in ordinary memory are copied; those the function
   *   writes to must be shared (`sharedFloats`) and hold the result when the promise resolves. Do
   *   not change either before.
   * @throws POOL_BUSY, POOL_CLOSED, WORKER_FAILED
   */
  run<Name extends RangeFunctionName>(
    name: Name,
    kept: RangeKept<Name>,
    input: RangeInput<Name>,
    itemCount: number,
  ): Promise<void>
  /** Ends the threads; unanswered jobs fail with POOL_CLOSED. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Starts threads. They live until `close()` and keep the process alive until then.
 * @param threadCount ≥ 1; more than the machine has cores gains nothing
 * @throws INVALID_OPTION
 * Cost: about 60 ms and 10 MB per thread to start; some tens of microseconds per job.
 */
export function createThreadPool(threadCount: number, options: ThreadPoolOptions = {}): ThreadPool {
  const { maxPendingJobs = 64, maxModels = 8 } = options
  for (const [name, value] of Object.entries({ threadCount, maxPendingJobs, maxModels })) {
    if (!Number.isInteger(value) || value < 1) throw invalidOption(name, 'an integer ≥ 1', value)
  }
  const workers = startWorkers(threadCount)
  const keptIdOf = keptRegistry(maxModels, workers.tell)
  const requireReady = () => {
    const ended = workers.endedBy()
    if (ended !== undefined) throw ended
    const pendingJobs = workers.pendingJobs()
    if (pendingJobs >= maxPendingJobs) throw poolBusy(pendingJobs, maxPendingJobs)
  }
  return {
    threadCount,
    requireReady,
    async run(name, kept, input, itemCount) {
      requireReady()
      const keptId = keptIdOf(kept)
      await workers.submit({ name, keptId, input: sharedCopy(input), itemCount })
    },
    close: () => workers.end(new AnomalyError('POOL_CLOSED', 'pool is closed; create a new one')),
  }
}

function poolBusy(pendingJobs: number, maxPendingJobs: number): AnomalyError {
  return new AnomalyError(
    'POOL_BUSY',
    `pool holds ${pendingJobs} jobs, at most ${maxPendingJobs}; wait for one to settle`,
    { pendingJobs },
  )
}

/** Sends each value to the threads once, and drops the least recently used beyond `maxKept`. */
function keptRegistry(
  maxKept: number,
  send: (request: WorkerRequest) => void,
): (value: unknown) => number {
  // A Map iterates in insertion order: re-inserting a used value keeps the oldest first.
  const idOfValue = new Map<unknown, number>()
  let nextId = 0
  return (value) => {
    const known = idOfValue.get(value)
    const keptId = known ?? nextId++
    idOfValue.delete(value)
    idOfValue.set(value, keptId)
    if (known === undefined) send({ kind: 'keep', keptId, value: sharedCopy(value) })
    for (const [oldest, oldestId] of idOfValue) {
      if (idOfValue.size <= maxKept) break
      idOfValue.delete(oldest)
      send({ kind: 'forget', keptId: oldestId })
    }
    return keptId
  }
}
