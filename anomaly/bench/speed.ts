import { cpus } from 'node:os'
import {
  createScoringPool,
  explainIsolationForest,
  type FeatureMatrix,
  fitIsolationForest,
  fitNearestNeighbours,
  fitRobustBaseline,
  scoreIsolationForest,
  scoreNearestNeighbours,
  scoreRobustBaseline,
  selectRows,
  sharedFeatureMatrix,
} from '../src/index.ts'
import { normalMatrix } from '../testing/generated-tables.ts'

/** Speed of the detectors: `node anomaly/bench/speed.ts`. Figures are milliseconds per call. */
const RUNS = 7

const model = cpus()[0]?.model ?? 'unknown processor'
console.log(`${model}, ${cpus().length} cores, node ${process.version}, ${RUNS} runs each`)

const rows100k = sharedFeatureMatrix(normalMatrix(100_000, 45, 1))
const forest = fitIsolationForest(rows100k)
const oneRow = selectRows(rows100k, [0])
const flagged = Array.from({ length: 200 }, (_, i) => i * 500)

await measure('forest 200 × 256 fit, 100,000 × 45', () => fitIsolationForest(rows100k))
await measure('forest 200 score, 100,000 × 45', () => scoreIsolationForest(forest, rows100k))
const pool = createScoringPool(2)
await measure('forest 200 score, 100,000 × 45, 2 threads', () => pool.score(forest, rows100k))
await pool.close()
await measure('forest 200 score, 1 row, 1,000 times', () => {
  for (let i = 0; i < 1000; i++) scoreIsolationForest(forest, oneRow)
})
await measure('forest 200 explain, 200 rows × 45', () =>
  explainIsolationForest(forest, rows100k, flagged),
)

const history = normalMatrix(1_000_000, 24, 2)
const groups = (matrix: FeatureMatrix, deviceCount: number) => ({
  deviceOfRow: Uint32Array.from({ length: matrix.rowCount }, (_, row) => row % deviceCount),
  deviceCount,
})
const perDevice = groups(history, 10_000)
await measure('baseline fit, 1,000,000 × 24, 10,000 devices', () =>
  fitRobustBaseline(history, perDevice),
)
const wide = normalMatrix(100_000, 24, 3)
const wideGroups = groups(wide, 100_000)
const baseline = fitRobustBaseline(wide, wideGroups, { minDeviceRows: 1 })
await measure('baseline score, 100,000 devices × 24', () =>
  scoreRobustBaseline(baseline, wide, wideGroups),
)

const healthy = normalMatrix(4000, 15, 4)
const toScore = normalMatrix(16_000, 15, 5)
const neighbours = fitNearestNeighbours(healthy)
await measure('neighbours fit, 4,000 × 15', () => fitNearestNeighbours(healthy))
await measure('neighbours score, 16,000 × 15 (independent columns: worst case)', () =>
  scoreNearestNeighbours(neighbours, toScore),
)

/** Prints median and spread after one unmeasured run. */
async function measure(name: string, run: () => unknown): Promise<void> {
  await run()
  const times: number[] = []
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const [fastest, median, slowest] = [times[0], times[RUNS >> 1], times[RUNS - 1]]
  const format = (time: number | undefined) => (time ?? Number.NaN).toFixed(1).padStart(8)
  console.log(`${format(median)}  [${format(fastest)} … ${format(slowest)}]  ${name}`)
}
