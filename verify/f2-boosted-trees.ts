import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  auroc,
  averagePrecision,
  boostedMargins,
  calibrateProbabilities,
  calibrationError,
  type FeatureMatrix,
  featureMatrixOfRows,
  fitBoostedTrees,
  fitProbabilityCalibration,
  outOfFold,
  type RowSplit,
  selectRows,
  stratifiedFolds,
} from '@isotherm/anomaly'
import { askPeers, hasPeers, type PeerAnswer } from './anomaly/peers.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const ai4i = join(import.meta.dirname, '..', '..', 'shared', 'data', 'ai4i2020', 'ai4i2020.csv')
const FOLDS = 5

type PeerFacts = {
  readonly auroc: number
  readonly averagePrecision: number
  readonly repeats: number
}

type Answer = PeerAnswer<{
  readonly found: Readonly<Record<string, PeerFacts>>
  readonly versions: Readonly<Record<string, string>>
}>

/** Rows per bin that keep the noise of a share, about 0.4/sqrt(rows), below the bar. */
const BIN_ROWS = 100

/** Margins of test rows, and of training rows by models that did not see them. */
function margins(rows: FeatureMatrix, labels: Float64Array, { trainRows, testRows }: RowSplit) {
  const grow = (chosen: Uint32Array) => {
    const target = {
      kind: 'binary',
      labels: Array.from(chosen, (row) => labels[row] ?? 0),
    } as const
    return fitBoostedTrees(selectRows(rows, chosen), target)
  }
  const truth = Array.from(trainRows, (row) => labels[row] ?? 0)
  const inner = outOfFold(stratifiedFolds(truth, { foldCount: 3 }), trainRows.length, (split) => {
    const of = (chosen: Uint32Array) => Uint32Array.from(chosen, (i) => trainRows[i] ?? 0)
    return boostedMargins(grow(of(split.trainRows)), selectRows(rows, of(split.testRows)))
  })
  const test = boostedMargins(grow(trainRows), selectRows(rows, testRows))
  return { test, calibration: fitProbabilityCalibration(inner, truth) }
}

/**
 * Power, temperature difference and strain, which a person who knows the machine adds to Type,
 * air and process temperature, speed, torque and wear.
 */
function withDerivedColumns({ values, rowCount, columnNames }: FeatureMatrix): FeatureMatrix {
  const width = columnNames.length
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const cells = Array.from(values.subarray(row * width, (row + 1) * width))
    const [, air = 0, process = 0, speed = 0, torque = 0, wear = 0] = cells
    return [...cells, (speed * torque * 2 * Math.PI) / 60, process - air, wear * torque]
  })
  return featureMatrixOfRows(rows, [...columnNames, 'power', 'temperatureDifference', 'strain'])
}

/** Default trees on the peer's folds: means over folds and repeats, calibration out of fold. */
function crossValidate(peers: Answer, table: number, repeats: number, rows: FeatureMatrix) {
  const labels = peers.values(`f${table}.labels`)
  const folds = peers.values(`f${table}.folds`)
  const binCount = Math.min(10, Math.floor(rows.rowCount / BIN_ROWS))
  const sums = { auroc: 0, averagePrecision: 0, calibration: 0, rawCalibration: 0 }
  for (let repeat = 0; repeat < repeats; repeat++) {
    const foldOf = folds.subarray(repeat * rows.rowCount, (repeat + 1) * rows.rowCount)
    const raw = new Float64Array(rows.rowCount)
    const calibrated = new Float64Array(rows.rowCount)
    for (let fold = 0; fold < FOLDS; fold++) {
      const every = Array.from(foldOf, (own, row) => ({ own, row }))
      const rowsWhere = (isTest: boolean) =>
        Uint32Array.from(every.filter(({ own }) => (own === fold) === isTest).map(({ row }) => row))
      const split = { trainRows: rowsWhere(false), testRows: rowsWhere(true) }
      const { test, calibration } = margins(rows, labels, split)
      const truth = Array.from(split.testRows, (row) => labels[row] ?? 0)
      sums.auroc += auroc(truth, test) / (FOLDS * repeats)
      sums.averagePrecision += averagePrecision(truth, test) / (FOLDS * repeats)
      const probabilities = calibrateProbabilities(calibration, test)
      for (const [i, row] of split.testRows.entries()) {
        raw[row] = 1 / (1 + Math.exp(-(test[i] ?? 0)))
        calibrated[row] = probabilities[i] ?? 0
      }
    }
    sums.calibration += calibrationError(labels, calibrated, binCount).expected / repeats
    sums.rawCalibration += calibrationError(labels, raw, binCount).expected / repeats
  }
  return sums
}

/** Boosted trees with default options, no feature made by hand, no tuning. */
export const promised: Promised = {
  id: 'F2',
  title: 'boosted trees on AI4I 2020 (5 folds, 3 repeats) and on 5 tables beside xgboost',
  unit: 'AUROC on AI4I 2020',
  bar: 'AI4I AUROC >= 0.970 and AP >= 0.80 (aim 0.84); elsewhere AUROC at most 0.005 below xgboost; error of calibrated probabilities <= 0.05',
  // The public data is not part of the repository, nor are the peers of the root install.
  quick: existsSync(ai4i) && hasPeers(),
  limitSeconds: 1200,
  run: async (report) => {
    if (!existsSync(ai4i)) {
      return { ok: false, value: 0, detail: { error: 'the public data folder is not there' } }
    }
    const folder = temporaryFolder('f2')
    try {
      const peers: Answer = await askPeers('folds', folder.path, { ai4i })
      const tables = Object.entries(peers.found).map(([name, peer], table) => {
        const ours = crossValidate(peers, table, peer.repeats, peers.matrix(`f${table}.rows`))
        report(`${name}: ${JSON.stringify(ours)}, xgboost ${JSON.stringify(peer)}`)
        return { name, ours, peer, difference: ours.auroc - peer.auroc }
      })
      // One repeat, for information: the bars are on the raw columns.
      const derived = crossValidate(peers, 0, 1, withDerivedColumns(peers.matrix('f0.rows')))
      report(`ai4i 2020 with derived columns: ${JSON.stringify(derived)}`)
      const [first, ...others] = tables
      return {
        ok:
          first !== undefined &&
          first.ours.auroc >= 0.97 &&
          first.ours.averagePrecision >= 0.8 &&
          others.every(({ difference }) => difference >= -0.005) &&
          tables.every(({ ours }) => ours.calibration <= 0.05),
        value: first?.ours.auroc ?? 0,
        detail: { tables, derived, versions: peers.versions },
      }
    } finally {
      folder.remove()
    }
  },
}
