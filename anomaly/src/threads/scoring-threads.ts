import { Worker } from 'node:worker_threads'
import { AnomalyError } from '../errors.ts'
import { siblingModule } from './module-location.ts'
import type { ScoringReply, ScoringRequest, WorkRequest } from './scoring-message.ts'

/** A job without the range that each thread gets. */
export type JobRequest = Omit<WorkRequest, 'kind' | 'jobId' | 'start' | 'end'>

/** Worker threads and the jobs they have not answered. */
export type ScoringThreads = {
  /** Why no job is taken any more, if so. */
  endedBy(): AnomalyError | undefined
  pendingJobs(): number
  /** Sends to every thread. */
  tell(request: ScoringRequest): void
  /** Cuts items [0, itemCount) into one range per thread; resolves with the filled `out`. */
  submit(job: JobRequest, itemCount: number): Promise<Float64Array>
  /** Fails all jobs with the error and ends the threads. */
  end(error: AnomalyError): Promise<void>
}

type Job = {
  repliesMissing: number
  readonly out: Float64Array
  readonly resolve: (values: Float64Array) => void
  readonly reject: (error: AnomalyError) => void
}

/** Starts the threads. If one dies, all jobs fail and no more are taken. */
export function startScoringThreads(threadCount: number): ScoringThreads {
  const jobs = new Map<number, Job>()
  let nextJobId = 0
  let ended: AnomalyError | undefined

  const end = async (error: AnomalyError) => {
    ended ??= error
    for (const job of jobs.values()) job.reject(error)
    jobs.clear()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const workers = Array.from({ length: threadCount }, () => {
    const worker = new Worker(siblingModule('scoring-worker', import.meta.url))
    worker.on('message', (reply: ScoringReply) => settle(jobs, reply))
    for (const event of ['error', 'messageerror', 'exit']) {
      worker.on(event, (cause: unknown) => {
        if (ended === undefined) void end(workerFailed('a scoring thread ended', cause))
      })
    }
    return worker
  })

  return {
    endedBy: () => ended,
    pendingJobs: () => jobs.size,
    tell(request) {
      for (const worker of workers) worker.postMessage(request)
    },
    submit: (job, itemCount) =>
      new Promise((resolve, reject) => {
        const jobId = nextJobId++
        jobs.set(jobId, { repliesMissing: threadCount, out: job.out, resolve, reject })
        for (const [index, worker] of workers.entries()) {
          const start = Math.floor((itemCount * index) / threadCount)
          const stop = Math.floor((itemCount * (index + 1)) / threadCount)
          const request: WorkRequest = { kind: 'work', jobId, ...job, start, end: stop }
          worker.postMessage(request)
        }
      }),
    end,
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
