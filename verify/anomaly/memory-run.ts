// node memory-run.ts DETECTOR: fits and scores 200,000 rows, prints peak memory and seconds.
import {
  createRandom,
  featureMatrix,
  fitLocalOutlierFactor,
  fitNearestNeighbours,
  nextNormal,
  scoreLocalOutlierFactor,
  scoreNearestNeighbours,
} from '@isotherm/anomaly'
import { columnNames } from './peers.ts'

const ROWS = 200_000
const COLUMNS = 20

const random = createRandom(12)
const values = new Float64Array(ROWS * COLUMNS)
for (let row = 0; row < ROWS; row++) {
  const common = nextNormal(random)
  for (let c = 0; c < COLUMNS; c++) values[row * COLUMNS + c] = common + nextNormal(random)
}
const matrix = featureMatrix(values, columnNames(COLUMNS))
const detector = process.argv[2]
const start = performance.now()
const scores =
  detector === 'local_outlier_factor'
    ? scoreLocalOutlierFactor(fitLocalOutlierFactor(matrix), matrix)
    : scoreNearestNeighbours(fitNearestNeighbours(matrix), matrix)
const seconds = (performance.now() - start) / 1000
const allFinite = scores.every(Number.isFinite)
const peakBytes = process.resourceUsage().maxRSS * 1024
process.stdout.write(JSON.stringify({ detector, seconds, peakBytes, allFinite }))
