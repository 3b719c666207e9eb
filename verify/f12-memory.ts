import { execFile } from 'node:child_process'
import { join } from 'node:path'
import {
  createRandom,
  type DriftReference,
  driftReference,
  driftReport,
  type FeatureMatrix,
  featureMatrix,
  kolmogorovSmirnovColumns,
  mergeDriftReferences,
  nextNormal,
  selectRows,
  wassersteinDistance,
} from '@isotherm/anomaly'
import { columnNames } from './anomaly/peers.ts'
import type { Promised } from './promise.ts'

const ROWS = 100_000
const COLUMNS = 45
const PARTS = 10
const MAX_BYTES = 2 ** 30
const MAX_DRIFT_SECONDS = 0.3
const MAX_SKETCH_ERROR = 0.01

type MemoryRun = {
  readonly detector: string
  readonly seconds: number
  readonly peakBytes: number
  readonly allFinite: boolean
}

/** Fits and scores 200,000 × 20 in a process of its own and reads its peak of resident memory. */
function memoryOf(detector: string): Promise<MemoryRun> {
  const script = join(import.meta.dirname, 'anomaly', 'memory-run.ts')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, detector], (error, output) =>
      error === null ? resolve(JSON.parse(output) as MemoryRun) : reject(error),
    )
  })
}

/** Columns of many shapes: normal, skewed, heavy-tailed, rounded, far from zero; `moved` apart. */
function table(seed: number, moved: number): FeatureMatrix {
  const random = createRandom(seed)
  const values = new Float64Array(ROWS * COLUMNS)
  for (let i = 0; i < values.length; i++) {
    const c = i % COLUMNS
    const z = nextNormal(random) + (c % 3 === 0 ? moved : 0)
    const shapes = [z, Math.exp(z), z ** 3, Math.round(2 * z), 1e6 + 0.01 * z]
    values[i] = shapes[c % shapes.length] ?? z
  }
  return featureMatrix(values, columnNames(COLUMNS))
}

/** The reference as it comes about in life: parts of unequal size, merged one after another. */
function mergedReference(matrix: FeatureMatrix): DriftReference {
  const bounds = Array.from({ length: PARTS + 1 }, (_, i) => Math.floor(ROWS * (i / PARTS) ** 1.5))
  const parts = bounds.slice(1).map((end, i) => {
    const start = bounds[i] ?? 0
    const rows = Uint32Array.from({ length: end - start }, (_, row) => start + row)
    return driftReference(selectRows(matrix, rows))
  })
  return parts.reduce(mergeDriftReferences)
}

/** Errors of statistics read from sketches, over all columns. */
function sketchErrors(before: FeatureMatrix, now: FeatureMatrix, reference: DriftReference) {
  const exact = kolmogorovSmirnovColumns(before, now)
  const { columns } = driftReport(reference, now)
  const column = ({ values }: FeatureMatrix, c: number) =>
    values.filter((_, i) => i % COLUMNS === c)
  let statistic = 0
  let stated = 0
  let wasserstein = 0
  for (const [c, drift] of columns.entries()) {
    statistic = Math.max(statistic, Math.abs(drift.statistic - (exact[c]?.statistic ?? 0)))
    stated = Math.max(stated, drift.statisticError)
    const [a, b] = [column(before, c), column(now, c)]
    const difference = Math.abs(drift.wasserstein - wassersteinDistance(a, b))
    wasserstein = Math.max(wasserstein, difference / standardDeviation(a))
  }
  return { statistic, stated, wassersteinInStandardDeviations: wasserstein }
}

function standardDeviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

/** Bounded memory, and drift against what is kept of a reference. */
export const promised: Promised = {
  id: 'F12',
  title: 'memory of neighbour detectors on 200,000 x 20; drift of 100,000 x 45 against a sketch',
  unit: 'seconds for a drift report',
  bar: 'LOF and kNN <= 1 GB; drift <= 0.3 s; sketch error <= 1 % in all 45 columns',
  quick: false,
  limitSeconds: 400,
  run: async (report) => {
    const memory: MemoryRun[] = []
    for (const detector of ['local_outlier_factor', 'nearest_neighbours']) {
      const run = await memoryOf(detector)
      report(`${detector}: ${Math.round(run.peakBytes / 2 ** 20)} MB, ${run.seconds.toFixed(1)} s`)
      memory.push(run)
    }
    const before = table(1, 0)
    const now = table(2, 0.15)
    const reference = mergedReference(before)
    const times = Array.from({ length: 7 }, () => {
      const start = performance.now()
      driftReport(reference, now)
      return (performance.now() - start) / 1000
    }).sort((a, b) => a - b)
    const seconds = times[times.length >> 1] ?? Number.NaN
    const errors = sketchErrors(before, now, reference)
    report(`drift ${seconds.toFixed(3)} s, errors ${JSON.stringify(errors)}`)
    return {
      ok:
        memory.every(({ peakBytes, allFinite }) => allFinite && peakBytes <= MAX_BYTES) &&
        seconds <= MAX_DRIFT_SECONDS &&
        Math.max(...Object.values(errors)) <= MAX_SKETCH_ERROR,
      value: seconds,
      detail: { memory, times, errors },
    }
  },
}
