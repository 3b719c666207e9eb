import { decomposeStl } from '@isotherm/anomaly'
import { compareTable, type TableFacts, type TableVerdict } from './anomaly/detector-equality.ts'
import { denseLossRatios, lstmLossRatio } from './anomaly/network-losses.ts'
import { askPeers, hasPeers, largestDifference } from './anomaly/peers.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const SEEDS = [0, 1, 2, 3, 4]
const EQUAL = 1e-9

/** Largest difference of any of the peer's STL components, plain and robust, over 12 × 5 series. */
async function stlDifferences(folder: string): Promise<Readonly<Record<string, number>>> {
  const peers = await askPeers<{ readonly periods: Readonly<Record<string, number>> }>(
    'series',
    folder,
    { seeds: SEEDS },
  )
  const worst = { stl: 0, stlRobust: 0 }
  for (const [key, period] of Object.entries(peers.periods)) {
    const values = peers.values(`${key}.values`)
    for (const isRobust of [false, true]) {
      const { trend, seasonal, residual } = decomposeStl(values, { period, isRobust })
      const ours = [...trend, ...seasonal, ...residual]
      const theirs = peers.values(`${key}.${isRobust ? 'robust' : 'plain'}`)
      const name = isRobust ? 'stlRobust' : 'stl'
      worst[name] = Math.max(worst[name], largestDifference(ours, theirs))
    }
  }
  return worst
}

type Comparison = {
  readonly tables: readonly string[]
  readonly versions: Readonly<Record<string, string>>
  readonly verdicts: ReadonlyMap<string, TableVerdict>
  readonly facts: Readonly<Record<string, TableFacts>>
}

async function compareTables(folder: string, report: (line: string) => void): Promise<Comparison> {
  const peers = await askPeers<{
    readonly names: readonly string[]
    readonly found: Readonly<Record<string, TableFacts>>
    readonly versions: Readonly<Record<string, string>>
  }>('detectors', folder, { seeds: SEEDS })
  const verdicts = new Map<string, TableVerdict>()
  for (const [table, name] of peers.names.entries()) {
    for (const seed of SEEDS) {
      const key = `t${table}s${seed}`
      const facts = peers.found[key]
      if (facts === undefined) throw new Error(`the peers found nothing for ${key}`)
      verdicts.set(key, compareTable(peers, key, facts, seed))
    }
    report(`${name}: compared with ${SEEDS.length} seeds`)
  }
  return { tables: peers.names, versions: peers.versions, verdicts, facts: peers.found }
}

/** The largest difference of each detector, and where it is. */
function worstDifferences({ verdicts, tables }: Comparison) {
  const worst: Record<string, { difference: number; table: string }> = {}
  for (const [key, { differences }] of verdicts) {
    const table = tables[Number(/^t(\d+)s/.exec(key)?.[1])] ?? key
    for (const [name, difference] of Object.entries(differences)) {
      if (difference >= (worst[name]?.difference ?? 0)) worst[name] = { difference, table }
    }
  }
  return worst
}

/** Mean AUROC over tables and seeds, ours and the peer's. */
function meanAurocs({ verdicts, facts }: Comparison) {
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  const ours = (detector: keyof TableVerdict['auroc']) =>
    mean([...verdicts.values()].map(({ auroc }) => auroc[detector]))
  const compared = (['isolation_forest', 'hbos', 'ecod'] as const).map((detector) => {
    const peer = mean(Object.values(facts).map((found) => found[detector]))
    return { detector, ours: ours(detector), peer, difference: ours(detector) - peer }
  })
  return { compared, hbosDefault: ours('hbosDefault') }
}

/** Every detector of the package beside its trusted implementation. */
export const promised: Promised = {
  id: 'F1',
  title: 'every detector against its reference on 12 tables and 12 series, 5 seeds',
  unit: 'largest difference of the detectors that must be equal',
  bar: 'kNN, LOF, DBSCAN, PCA, k-means, STL, KS, Wasserstein <= 1e-9 (ties named); mean AUROC of forest, HBOS, ECOD within 0.01; losses of autoencoders within 5 %',
  // The Python peers are no part of the root install.
  quick: hasPeers(),
  limitSeconds: 900,
  run: async (report) => {
    const folder = temporaryFolder('f1')
    try {
      const comparison = await compareTables(folder.path, report)
      const differences = worstDifferences(comparison)
      const stl = await stlDifferences(folder.path)
      report(`STL: ${JSON.stringify(stl)}`)
      const losses = await denseLossRatios(folder.path, SEEDS)
      const lstm = await lstmLossRatio(folder.path)
      report(`loss over the peer's: ${JSON.stringify({ dense: losses, lstm })}`)
      const equal = [
        ...Object.values(differences).map((one) => one.difference),
        ...Object.values(stl),
      ]
      const aurocs = meanAurocs(comparison)
      const value = Math.max(...equal)
      const tiedRows = [...comparison.verdicts.values()].reduce((sum, one) => sum + one.tiedRows, 0)
      return {
        ok:
          value <= EQUAL &&
          aurocs.compared.every(({ difference }) => Math.abs(difference) <= 0.01) &&
          [...Object.values(losses.equalStart), lstm].every((ratio) => Math.abs(ratio - 1) <= 0.05),
        value,
        detail: { differences, stl, aurocs, losses, lstm, tiedRows, versions: comparison.versions },
      }
    } finally {
      folder.remove()
    }
  },
}
