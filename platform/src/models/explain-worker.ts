import { parentPort } from 'node:worker_threads'
import { explainDetector } from '@isotherm/anomaly'
import type { ExplainReply, ExplainRequest } from './explain-message.ts'

/** Entry of an explaining thread: contributions of every row it is sent. */
parentPort?.on('message', ({ detector, input }: ExplainRequest) => {
  parentPort?.postMessage(explain({ detector, input }))
})

function explain({ detector, input }: ExplainRequest): ExplainReply {
  try {
    const rows = Uint32Array.from({ length: input.rowCount }, (_, row) => row)
    return { kind: 'done', contributions: explainDetector(detector, input, rows) }
  } catch (error) {
    // The caller's promise carries it; the thread stays fit for the next request.
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}
