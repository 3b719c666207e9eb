import { Worker } from 'node:worker_threads'
import { AnomalyError } from '../errors.ts'
import { siblingModule } from './module-location.ts'
import type { RangeRequest, WorkerReply, WorkerRequest } from './worker-message.ts'

/** A job without what the set of workers adds. */
export type RangeJob = Omit<RangeRequest, 'kind' | 'jobId' | 'chunkSize' | 'nextItem'>

/** Worker threads and the jobs they have not answered. */
export type WorkerSet = {
  /** Why no job is taken any more, if so. */
  endedBy(): AnomalyError | undefined
  pendingJobs(): number
  /** Sends to every thread. */
  tell(request: WorkerRequest): void
  /** Resolves when the threads have done all items. */
  submit(job: RangeJob): Promise<void>
  /** Fails all jobs with the error and ends the threads. */
  end(error: AnomalyError): Promise<void>
}

type PendingJob = {
  repliesMissing: number
  readonly resolve: () => void
  readonly reject: (error: AnomalyError) => void
}

/**
 * Chunks per thread and job: a thread that another process holds up then costs the job a small
 * part of its time, and a chunk is still long against taking it.
 */
const CHUNKS_PER_THREAD = 8

/** Starts the threads. If one dies, all jobs fail and no more are taken. */
export function startWorkers(threadCount: number): WorkerSet {
  const jobs = new Map<number, PendingJob>()
  let nextJobId = 0
  let ended: AnomalyError | undefined

  const end = async (error: AnomalyError) => {
    ended ??= error
    for (const job of jobs.values()) job.reject(error)
    jobs.clear()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const workers = Array.from({ length: threadCount }, () => {
    const worker = new Worker(siblingModule('range-worker', import.meta.url))
    worker.on('message', (reply: WorkerReply) => settle(jobs, reply))
    for (const event of ['error', 'messageerror', 'exit']) {
      worker.on(event, (cause: unknown) => {
        if (ended === undefined) void end(workerFailed('a thread ended', cause))
      })
    }
    return worker
  })
  const tell = (request: WorkerRequest) => {
    for (const worker of workers) worker.postMessage(request)
  }

  return {
    endedBy: () => ended,
    pendingJobs: () => jobs.size,
    tell,
    submit: (job) =>
      new Promise((resolve, reject) => {
        const jobId = nextJobId++
        const chunkSize = Math.max(1, Math.ceil(job.itemCount / (threadCount * CHUNKS_PER_THREAD)))
        const nextItem = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
        jobs.set(jobId, { repliesMissing: threadCount, resolve, reject })
        tell({ kind: 'run', jobId, ...job, chunkSize, nextItem })
      }),
    end,
  }
}

function settle(jobs: Map<number, PendingJob>, reply: WorkerReply): void {
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
  job.resolve()
}

function workerFailed(reason: string, cause?: unknown): AnomalyError {
  return new AnomalyError('WORKER_FAILED', `a thread failed: ${reason}`, { reason }, cause)
}
