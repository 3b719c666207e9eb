import { parentPort } from 'node:worker_threads'
import { type Detector, explainDetector, scoreDetectorRows } from '../detector.ts'
import type { ScoringReply, ScoringRequest, WorkRequest } from './scoring-message.ts'

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
    case 'work':
      parentPort?.postMessage(work(request))
      break
  }
})

function work(request: WorkRequest): ScoringReply {
  const { jobId, modelId } = request
  const model = models.get(modelId)
  if (model === undefined) return { kind: 'failed', jobId, reason: `unknown model ${modelId}` }
  try {
    if (request.rowIndices === undefined) score(model, request)
    else explain(model, request, request.rowIndices)
    return { kind: 'done', jobId }
  } catch (error) {
    // The caller's promise carries it; the thread stays fit for the next job.
    return { kind: 'failed', jobId, reason: error instanceof Error ? error.message : 'unknown' }
  }
}

function score(model: Detector, request: WorkRequest): void {
  const { values, groups, start, end, out } = request
  scoreDetectorRows(model, values, groups, start, end, out)
}

function explain(model: Detector, request: WorkRequest, rowIndices: Uint32Array): void {
  const { values, rowCount, groups, start, end, out } = request
  const matrix = { values, rowCount, columnNames: model.columnNames }
  const part = explainDetector(model, matrix, rowIndices.subarray(start, end), groups)
  out.set(part, start * model.columnNames.length)
}
