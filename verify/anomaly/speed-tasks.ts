import {
  auroc,
  boostedMargins,
  clusterByDensity,
  createScoringPool,
  decomposeStl,
  explainBoostedTrees,
  type FeatureMatrix,
  fitAutoencoder,
  fitBoostedTrees,
  fitIsolationForest,
  fitLocalOutlierFactor,
  fitLstmAutoencoder,
  kolmogorovSmirnovColumns,
  kolmogorovSmirnovOfSorted,
  psiColumns,
  psiReferences,
  rollingZScores,
  scoreIsolationForest,
  selectRows,
  sharedFeatureMatrix,
  sortedColumns,
  stlPlan,
  windowMatrix,
} from '@isotherm/anomaly'
import { largestDifference, type PeerAnswer } from './peers.ts'

/** What the peers took and found. */
export type SpeedAnswer = PeerAnswer<{
  readonly seconds: Readonly<Record<string, number>>
  readonly facts: {
    readonly 'peer train AUROC': Readonly<Record<string, number>>
    readonly 'peer loss after one epoch': number
  }
  readonly versions: Readonly<Record<string, string>>
}>

/** One line of the table in question. */
export type SpeedLine = {
  readonly name: string
  /** Seconds that must not be exceeded, and those beyond which the peer is left behind. */
  readonly must: number
  readonly stretch: number
  readonly seconds: number
  /** Of the peer in the same run on the same data; absent where no peer is installed. */
  readonly peer: number | undefined
  /** False if the result is not the peer's within its tolerance. */
  readonly isRight: boolean
  readonly note?: string
}

const THREADS = 2
const RUNS = 5

/** Median seconds after one unmeasured run, and the last result. */
async function timed<T>(run: () => T | Promise<T>): Promise<{ seconds: number; result: T }> {
  let result = await run()
  const times: number[] = []
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    result = await run()
    times.push((performance.now() - start) / 1000)
  }
  times.sort((a, b) => a - b)
  return { seconds: times[RUNS >> 1] ?? Number.NaN, result }
}

/** Forests and neighbours. */
export async function detectorLines(peers: SpeedAnswer): Promise<SpeedLine[]> {
  const wide = sharedFeatureMatrix(peers.matrix('first'))
  const clusters = sharedFeatureMatrix(peers.matrix('clusters'))
  const pool = createScoringPool(THREADS)
  try {
    const options = { treeCount: 100, sampleSize: 256, seed: 0 }
    const fit = await timed(() => fitIsolationForest(wide, options))
    const score = await timed(() => pool.score(fit.result, wide))
    const factor = await timed(() =>
      fitLocalOutlierFactor(clusters, { scaling: 'none', neighbourCount: 20 }),
    )
    const factors = await timed(() => pool.score(factor.result, clusters))
    const dbscan = await timed(() =>
      clusterByDensity(clusters, { scaling: 'none', radius: 1.5, minSamples: 10 }),
    )
    const line = lineOf(peers)
    return [
      line('forest fit', 0.05, 0.015, fit.seconds),
      line('forest score', 0.5, 0.25, score.seconds),
      line('forest one row', 20e-6, 3e-6, medianOfOneRow(wide, options)),
      line('lof fit', 0.5, 0.3, factor.seconds),
      line('lof score', 0.5, 0.3, factors.seconds),
      line('dbscan', 0.6, 0.3, dbscan.seconds, isSamePartition(dbscan.result.labels, peers)),
    ]
  } finally {
    await pool.close()
  }
}

function medianOfOneRow(wide: FeatureMatrix, options: { readonly treeCount: number }): number {
  const forest = fitIsolationForest(wide, options)
  const rows = Array.from({ length: 200 }, (_, row) => selectRows(wide, [row]))
  const times: number[] = []
  for (let round = 0; round < 50; round++) {
    for (const row of rows) {
      const start = performance.now()
      scoreIsolationForest(forest, row)
      times.push((performance.now() - start) / 1000)
    }
  }
  times.sort((a, b) => a - b)
  return times[times.length >> 1] ?? Number.NaN
}

/** The same rows together, whatever the numbers of the clusters. */
function isSamePartition(ours: Int32Array, peers: SpeedAnswer): boolean {
  const theirs = peers.values('dbscan')
  const pairs = new Set(Array.from(ours, (label, row) => `${label} ${theirs[row]}`))
  return pairs.size === new Set(ours).size && pairs.size === new Set(theirs).size
}

/** Boosted trees and networks. */
export async function modelLines(peers: SpeedAnswer): Promise<SpeedLine[]> {
  const wide = peers.matrix('first')
  const labels = peers.values('target')
  const options = { roundCount: 100, maxLeaves: 31, threadCount: THREADS }
  const fit = await timed(() => fitBoostedTrees(wide, { kind: 'binary', labels }, options))
  const predict = await timed(() => boostedMargins(fit.result, wide))
  const trained = auroc(labels, predict.result)
  const thousand = Uint32Array.from({ length: 1000 }, (_, row) => row)
  const shap = await timed(() => explainBoostedTrees(fit.result, wide, thousand))
  const network = {
    hiddenSizes: [24, 12, 24],
    activation: 'relu',
    batchSize: 256,
    maxEpochs: 1,
    heldOutFraction: 0,
    clip: Number.POSITIVE_INFINITY,
  } as const
  const epoch = await timed(() => fitAutoencoder(wide, network))
  const loss = (epoch.result.trainingLosses[0] ?? 0) / peers.facts['peer loss after one epoch']
  const windows = windowsOf(peers.values('first'))
  const lstm = await timed(() =>
    fitLstmAutoencoder(windows, { stepCount: 48, maxEpochs: 1, heldOutFraction: 0 }),
  )
  const line = lineOf(peers)
  const note = `train AUROC ${trained.toFixed(5)}, peers ${JSON.stringify(peers.facts['peer train AUROC'])}`
  return [
    line('trees fit', 3, 1.5, fit.seconds, trained >= 0.9995, note),
    line('trees predict', 0.3, 0.15, predict.seconds),
    line('tree shap', 0.5, 0.2, shap.seconds, shap.result.additivityError <= 1e-9),
    line('autoencoder epoch', 0.3, 0.1, epoch.seconds, loss <= 1.05, `loss over peer's ${loss}`),
    line('lstm epoch', 2, 0.7, lstm.seconds),
  ]
}

/** 5,000 windows of 48 steps and 8 channels. */
function windowsOf(values: Float64Array): FeatureMatrix {
  const channels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  return windowMatrix(values.slice(0, 5000 * 48 * channels.length), channels, 48)
}

/** Drift, seasons and rolling scores. */
export async function seriesLines(peers: SpeedAnswer): Promise<SpeedLine[]> {
  const first = peers.matrix('first')
  const second = peers.matrix('second')
  const ks = await timed(() => kolmogorovSmirnovColumns(first, second))
  const kept = sortedColumns(first)
  const ksKept = await timed(() => kolmogorovSmirnovOfSorted(kept, first.columnNames, second))
  const gaps = ks.result.map(({ statistic }) => statistic)
  const psi = await timed(() => psiColumns(psiReferences(first), first.columnNames, second))
  const references = psiReferences(first)
  const psiKept = await timed(() => psiColumns(references, first.columnNames, second))
  const stability = psi.result.map((found) => found.psi)
  const plain = await timed(() => residuals(peers.matrix('series.plain'), false))
  const robust = await timed(() => residuals(peers.matrix('series.robust'), true))
  const rolling = await timed(() => rollingZScores(first, { windowRows: 288 }))
  const line = lineOf(peers)
  const isKs = largestDifference(gaps, peers.values('ks')) <= 1e-12
  const isPsi = largestDifference(stability, peers.values('psi')) <= 1e-9
  const isStl = largestDifference(plain.result, peers.values('stl')) <= 1e-8
  return [
    line('ks', 0.5, 0.15, ks.seconds, isKs),
    { ...line('ks', 0.5, 0.15, ksKept.seconds, isKs), name: 'ks, reference kept sorted' },
    line('psi', 0.15, 0.05, psi.seconds, isPsi),
    { ...line('psi', 0.15, 0.05, psiKept.seconds, isPsi), name: 'psi, reference kept' },
    line('stl', 2, 0.5, plain.seconds, isStl),
    line('stl robust', 2.5, 1, robust.seconds),
    line('rolling z', 0.1, 0.04, rolling.seconds),
  ]
}

function residuals(
  { values, columnNames, rowCount }: FeatureMatrix,
  isRobust: boolean,
): Float64Array {
  const length = columnNames.length
  const plan = stlPlan(length, { period: 24, isRobust })
  const out = new Float64Array(values.length)
  for (let series = 0; series < rowCount; series++) {
    const one = values.subarray(series * length, (series + 1) * length)
    out.set(decomposeStl(one, plan).residual, series * length)
  }
  return out
}

function lineOf(peers: SpeedAnswer) {
  return (
    name: string,
    must: number,
    stretch: number,
    seconds: number,
    isRight = true,
    note?: string,
  ): SpeedLine => {
    const peer = peers.seconds[name]
    return { name, must, stretch, seconds, peer, isRight, ...(note !== undefined && { note }) }
  }
}
