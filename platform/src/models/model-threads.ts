import { Worker } from 'node:worker_threads'
import {
  createScoringPool,
  type Detector,
  type FeatureMatrix,
  type ScoringPool,
} from '@isotherm/anomaly'
import { IsothermError } from '../contracts/index.ts'
import type { ExplainReply, ExplainRequest } from './explain-message.ts'

/** Threads that score and explain; results are the same bit for bit as without them. */
export type ModelThreads = {
  readonly pool: ScoringPool
  /** Contributions of every row, row-major; for detectors that need no groups. */
  readonly explain: (detector: Detector, input: FeatureMatrix) => Promise<Float64Array>
  readonly close: () => Promise<void>
}

/**
 * Starts threads for a run. Explaining a flagged row of a forest takes about 1 ms, as long as
 * scoring 300 rows, so it is what threads are worth most for.
 */
export function startModelThreads(count: number): ModelThreads {
  const pool = createScoringPool(count)
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL(`./explain-worker.${extension}`, import.meta.url)),
  )
  let turn: Promise<unknown> = Promise.resolve()
  return {
    pool,
    explain: (detector, input) => {
      const explained = turn.then(async () => {
        const parts = await Promise.all(
          workers.map((worker, index) =>
            ask(worker, { detector, input: slice(input, index, count) }),
          ),
        )
        return joined(parts, input.values.length)
      })
      // A failed request must not block the next; its caller gets the rejection.
      turn = explained.catch(() => undefined)
      return explained
    },
    close: async () => {
      await pool.close()
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function slice(input: FeatureMatrix, index: number, count: number): FeatureMatrix {
  const width = input.columnNames.length
  const start = Math.floor((input.rowCount * index) / count)
  const end = Math.floor((input.rowCount * (index + 1)) / count)
  const values = input.values.slice(start * width, end * width)
  return { values, rowCount: end - start, columnNames: input.columnNames }
}

function joined(parts: readonly Float64Array[], length: number): Float64Array {
  const all = new Float64Array(length)
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}

function ask(worker: Worker, request: ExplainRequest): Promise<Float64Array> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown) => {
      detach()
      reject(
        new IsothermError('MODEL_INVALID', `explaining scores failed: ${reason}; run it again`, {
          cause,
        }),
      )
    }
    const onMessage = (reply: ExplainReply) => {
      if (reply.kind === 'failed') return fail(reply.reason)
      detach()
      resolve(reply.contributions)
    }
    const onError = (cause: unknown) => fail('a thread ended', cause)
    const onExit = (code: number) => fail(`a thread ended with code ${code}`)
    const detach = () => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(request)
  })
}
