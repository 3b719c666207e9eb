import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BoostedExplanation,
  boostedTreesOfXgboost,
  explainBoostedTrees,
  explainIsolationForest,
  fitBoostedTrees,
  fitIsolationForest,
} from '@isotherm/anomaly'
import { askPeers, hasPeers, type PeerAnswer } from './anomaly/peers.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const ADDITIVE = 1e-9
const EQUAL = 1e-6

type Names = { readonly names: readonly string[] }

/** What xgboost's contributions miss its own margins by: it sums in 32 bits. */
function peerAdditivity(theirs: Float64Array, margins: Float64Array): number {
  const stride = theirs.length / margins.length
  const gaps = Array.from(margins, (margin, row) =>
    Math.abs(theirs.slice(row * stride, (row + 1) * stride).reduce((a, b) => a + b, 0) - margin),
  )
  return Math.max(...gaps)
}

/** Ours in xgboost's layout: per row all columns, then the margin expected without knowing any. */
function withExpected({ contributions, expectedMargins }: BoostedExplanation, width: number) {
  const [expected = Number.NaN] = expectedMargins
  return Array.from({ length: (contributions.length / width) * (width + 1) }, (_, i) => {
    const c = i % (width + 1)
    return c === width ? expected : (contributions[Math.floor(i / (width + 1)) * width + c] ?? 0)
  })
}

function largestGap(ours: readonly number[], theirs: Float64Array): number {
  const gaps = Array.from(theirs, (value, i) => Math.abs((ours[i] ?? Number.NaN) - value))
  return gaps.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...gaps)
}

/** Differences on one table: xgboost's own trees, then trees and forests of ours. */
function compareTable(peers: PeerAnswer<Names>, number: number, folder: string) {
  const rows = peers.matrix(`x${number}.rows`)
  const all = Uint32Array.from({ length: rows.rowCount }, (_, row) => row)
  const json: unknown = JSON.parse(readFileSync(join(folder, `x${number}.json`), 'utf8'))
  const imported = explainBoostedTrees(boostedTreesOfXgboost(json, rows.columnNames), rows, all)
  const ours = withExpected(imported, rows.columnNames.length)
  const margins = peers.values(`x${number}.margins`)
  const labels = margins.map((margin) => (margin > 0 ? 1 : 0))
  const own = fitBoostedTrees(rows, { kind: 'binary', labels }, { roundCount: 50 })
  const isComplete = rows.values.every(Number.isFinite)
  const forest = isComplete ? fitIsolationForest(rows) : undefined
  return {
    toXgboost: largestGap(ours, peers.values(`x${number}.contributions`)),
    // On tables of few columns also by enumeration in float64: it says which of two is right.
    toEnumeration:
      `x${number}.exact` in peers.shapes
        ? largestGap([...imported.contributions], peers.values(`x${number}.exact`))
        : undefined,
    peerAdditivity: peerAdditivity(peers.values(`x${number}.contributions`), margins),
    imported: imported.additivityError,
    own: explainBoostedTrees(own, rows, all).additivityError,
    forest: forest === undefined ? 0 : explainIsolationForest(forest, rows, all).additivityError,
  }
}

/** Exact contributions, by their sum and by another implementation on the same trees. */
export const promised: Promised = {
  id: 'F6',
  title: 'TreeSHAP of boosted trees and forests: additive, and equal to xgboost on its own trees',
  unit: 'largest difference to xgboost',
  bar: 'additivity <= 1e-9 on every row; equal to xgboost pred_contribs to 1e-6, or where its float32 sums miss more themselves, to enumeration in float64 to 1e-9',
  quick: hasPeers(),
  limitSeconds: 300,
  run: async (report) => {
    const folder = temporaryFolder('f6')
    try {
      const peers = await askPeers<Names>('contributions', folder.path)
      const tables = peers.names.map((name, number) => {
        const found = { name, ...compareTable(peers, number, folder.path) }
        report(JSON.stringify(found))
        return found
      })
      const value = Math.max(...tables.map(({ toXgboost }) => toXgboost))
      const additive = Math.max(
        ...tables.flatMap(({ imported, own, forest }) => [imported, own, forest]),
      )
      const exact = tables.flatMap(({ toEnumeration }) => toEnumeration ?? [])
      // Farther from xgboost is only right where enumeration sides with us.
      const isEqual = tables.every(
        ({ toXgboost, toEnumeration = Number.POSITIVE_INFINITY, peerAdditivity }) =>
          toXgboost <= EQUAL || (toEnumeration <= ADDITIVE && toXgboost <= peerAdditivity),
      )
      return {
        ok: isEqual && additive <= ADDITIVE && exact.every((gap) => gap <= ADDITIVE),
        value,
        detail: { additive, tables },
      }
    } finally {
      folder.remove()
    }
  },
}
