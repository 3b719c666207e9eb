import { parentPort } from 'node:worker_threads'
import { type RangeFunction, rangeFunctions } from './range-functions.ts'
import type { RangeRequest, WorkerReply, WorkerRequest } from './worker-message.ts'

/** Entry of a thread: keeps the values it was told, runs the functions it is asked for. */
const kept = new Map<number, unknown>()

parentPort?.on('message', (request: WorkerRequest) => {
  switch (request.kind) {
    case 'keep':
      kept.set(request.keptId, request.value)
      break
    case 'forget':
      kept.delete(request.keptId)
      break
    case 'run':
      parentPort?.postMessage(run(request))
      break
  }
})

function run(request: RangeRequest): WorkerReply {
  const { jobId, name, keptId, input, itemCount, chunkSize, nextItem } = request
  // `ThreadPool.run` pairs the name with what its function takes; a message cannot carry types.
  const work = rangeFunctions[name] as RangeFunction<unknown, unknown>
  try {
    for (;;) {
      const start = Atomics.add(nextItem, 0, chunkSize)
      if (start >= itemCount) return { kind: 'done', jobId }
      work(kept.get(keptId), input, start, Math.min(start + chunkSize, itemCount))
    }
  } catch (error) {
    // The caller's promise carries it; the thread stays fit for the next job.
    return { kind: 'failed', jobId, reason: error instanceof Error ? error.message : 'unknown' }
  }
}
