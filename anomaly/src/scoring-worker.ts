import { parentPort } from 'node:worker_threads'
import { type Detector, scoreDetectorRows } from './detector.ts'
import type { ScoringReply, ScoringRequest } from './scoring-message.ts'

/** Entry of a scoring thread: keeps the models it was told, scores the row ranges it is sent. */
const models = new Map<number, Detector>()

parentPort?.on('message', (request: ScoringRequest) => {
  switch (request.kind) {
    case 'learn':
      models.set(request.modelId, request.model)
      break
    case 'forget':
      models.delete(request.modelId)
      break
    case 'score':
      parentPort?.postMessage(score(request))
      break
  }
})

function score(request: Extract<ScoringRequest, { kind: 'score' }>): ScoringReply {
  const { jobId, modelId, values, groups, rowStart, rowEnd, out } = request
  const model = models.get(modelId)
  if (model === undefined) return { kind: 'failed', jobId, reason: `unknown model ${modelId}` }
  try {
    scoreDetectorRows(model, values, groups, rowStart, rowEnd, out)
    return { kind: 'done', jobId }
  } catch (error) {
    // The caller's promise carries it; the thread stays fit for the next job.
    return { kind: 'failed', jobId, reason: error instanceof Error ? error.message : 'unknown' }
  }
}
