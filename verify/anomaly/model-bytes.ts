// node model-bytes.ts THREADS FOLDER: fits one model of every kind of detector, writes its file to
// FOLDER, scores with THREADS threads, and prints hashes of files and scores.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createRandom,
  createScoringPool,
  type Detector,
  encodeModel,
  featureMatrix,
  fitAutoencoder,
  fitBoostedTrees,
  fitDbscan,
  fitEcod,
  fitExtendedForest,
  fitHbos,
  fitIsolationForest,
  fitKMeans,
  fitLocalOutlierFactor,
  fitLogisticRegression,
  fitLstmAutoencoder,
  fitNearestNeighbours,
  fitPrincipalComponents,
  fitRobustBaseline,
  fitRobustZScore,
  nextNormal,
} from '@isotherm/anomaly'
import { columnNames } from './peers.ts'

const ROWS = 3000
const COLUMNS = 6

const threadCount = Number(process.argv[2])
const folder = process.argv[3] ?? '.'
const random = createRandom(13)
const values = Float64Array.from({ length: ROWS * COLUMNS }, (_, i) => nextNormal(random) + (i % 5))
const matrix = featureMatrix(values, columnNames(COLUMNS))
const labels = Array.from({ length: ROWS }, (_, row) => ((values[row * COLUMNS] ?? 0) > 2 ? 1 : 0))
const target = { kind: 'binary', labels } as const
const groups = {
  deviceOfRow: Uint32Array.from({ length: ROWS }, (_, row) => row % 20),
  deviceCount: 20,
}

const detectors: readonly (() => Detector)[] = [
  () => fitAutoencoder(matrix, { maxEpochs: 3 }),
  () => fitBoostedTrees(matrix, target, { roundCount: 20, rowShare: 0.8, threadCount }),
  () => fitDbscan(matrix),
  () => fitEcod(matrix),
  () => fitExtendedForest(matrix),
  () => fitHbos(matrix),
  () => fitIsolationForest(matrix),
  () => fitKMeans(matrix),
  () => fitLocalOutlierFactor(matrix),
  () => fitLogisticRegression(matrix, target),
  () => fitLstmAutoencoder(matrix, { stepCount: 3, maxEpochs: 2 }),
  () => fitNearestNeighbours(matrix),
  () => fitPrincipalComponents(matrix),
  () => fitRobustBaseline(matrix, groups),
  () => fitRobustZScore(matrix),
]

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const pool = createScoringPool(threadCount)
const hashes: Record<string, { readonly model: string; readonly scores: string }> = {}
for (const learn of detectors) {
  const model = learn()
  const bytes = encodeModel(model)
  writeFileSync(join(folder, `${model.kind}.model`), bytes)
  const scores = await pool.score(model, matrix, groups)
  hashes[model.kind] = { model: hash(bytes), scores: hash(new Uint8Array(scores.buffer)) }
}
await pool.close()
process.stdout.write(JSON.stringify(hashes))
