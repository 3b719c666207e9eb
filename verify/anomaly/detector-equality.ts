import {
  auroc,
  clusterByDensity,
  type FeatureMatrix,
  fitEcod,
  fitHbos,
  fitIsolationForest,
  fitKMeans,
  fitLocalOutlierFactor,
  fitNearestNeighbours,
  fitPrincipalComponents,
  kolmogorovSmirnovColumns,
  scoreEcod,
  scoreHbos,
  scoreIsolationForest,
  scoreLocalOutlierFactor,
  scoreNearestNeighbours,
  selectRows,
  wassersteinDistance,
} from '@isotherm/anomaly'
import { largestDifference, type PeerAnswer } from './peers.ts'

/** What the peers found of one table and seed. */
export type TableFacts = {
  readonly radius: number
  readonly inertia: number
  readonly isolation_forest: number
  readonly hbos: number
  readonly ecod: number
}

/** Largest difference to the peer per detector, and our AUROC, for one table and seed. */
export type TableVerdict = {
  readonly differences: Readonly<Record<string, number>>
  /** Rows whose neighbours are tied, so that the peer's choice among them is arbitrary. */
  readonly tiedRows: number
  readonly auroc: Readonly<Record<'isolation_forest' | 'hbos' | 'ecod' | 'hbosDefault', number>>
}

/** Most neighbours that a detector asks for; small tables have fewer. */
const NEIGHBOURS = 20

/** Compares all row detectors with their peers on one table. */
export function compareTable(
  peers: PeerAnswer<unknown>,
  key: string,
  facts: TableFacts,
  seed: number,
): TableVerdict {
  const rows = peers.matrix(`${key}.rows`)
  const labels = peers.values(`${key}.labels`)
  const train = selectRows(rows, everySecond(rows.rowCount, 0))
  const test = selectRows(rows, everySecond(rows.rowCount, 1))
  const unscaled = {
    scaling: 'none',
    neighbourCount: Math.min(NEIGHBOURS, train.rowCount - 2),
  } as const
  const isUnique = Array.from(peers.values(`${key}.tied`), (flag) => flag === 0)
  const factors = scoreLocalOutlierFactor(fitLocalOutlierFactor(train, unscaled), test)
  const unique = (values: Float64Array) => values.filter((_, row) => isUnique[row] === true)
  const distances = scoreNearestNeighbours(fitNearestNeighbours(train, unscaled), test)
  const { labels: clusters } = clusterByDensity(rows, {
    scaling: 'none',
    radius: facts.radius,
    minSamples: 10,
  })
  const centres = peers.values(`${key}.centres`)
  const { inertia } = fitKMeans(rows, { scaling: 'none', initialCentres: centres })
  const forest = fitIsolationForest(rows, { treeCount: 100, sampleSize: 256, seed })
  const raw = { scaling: 'none', beyondRange: 'rarest bin' } as const
  const hbos = scoreHbos(fitHbos(rows, raw), rows)
  const ecod = scoreEcod(fitEcod(rows), rows)
  return {
    differences: {
      knn: largestDifference(distances, peers.values(`${key}.knn`)),
      lof: largestDifference(unique(factors), unique(peers.values(`${key}.lof`))),
      dbscan: differentClusters(clusters, peers.values(`${key}.dbscan`)),
      pca: principalDifference(rows, peers, key),
      kMeans: largestDifference([inertia / facts.inertia], [1]),
      ks: largestDifference(
        kolmogorovSmirnovColumns(train, test).map(({ statistic }) => statistic),
        peers.values(`${key}.ks`),
      ),
      wasserstein: largestDifference(
        wassersteinOfColumns(train, test),
        peers.values(`${key}.wasserstein`),
      ),
      hbosAsPyod: largestDifference(
        scoreHbos(fitHbos(rows, raw), rows),
        peers.values(`${key}.hbos`),
      ),
      ecodAsPyod: largestDifference(ecod, peers.values(`${key}.ecod`)),
    },
    tiedRows: isUnique.filter((unique) => !unique).length,
    auroc: {
      isolation_forest: auroc(labels, scoreIsolationForest(forest, rows)),
      hbos: auroc(labels, hbos),
      // Our defaults score a value out of range higher than PyOD does.
      hbosDefault: auroc(labels, scoreHbos(fitHbos(rows), rows)),
      ecod: auroc(labels, ecod),
    },
  }
}

function everySecond(rowCount: number, first: number): number[] {
  return Array.from({ length: rowCount }, (_, row) => row).filter((row) => row % 2 === first)
}

/** 0 if both labellings are the same up to the numbers of clusters, else the rows that differ. */
function differentClusters(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  const translation = new Map<number, number>([[-1, -1]])
  const taken = new Set<number>([-1])
  let different = 0
  for (let row = 0; row < ours.length; row++) {
    const own = ours[row] ?? 0
    const other = theirs[row] ?? 0
    if (!translation.has(own) && !taken.has(other)) {
      translation.set(own, other)
      taken.add(other)
    }
    if (translation.get(own) !== other) different += 1
  }
  return different
}

/**
 * Variances of all components, and the components themselves up to sign where their variance is
 * their own: equal variances leave the directions among them open, as does variance zero.
 */
function principalDifference(rows: FeatureMatrix, peers: PeerAnswer<unknown>, key: string): number {
  const variances = peers.values(`${key}.variances`)
  const components = peers.values(`${key}.components`)
  const width = rows.columnNames.length
  const model = fitPrincipalComponents(rows, { scaling: 'none', explainedShare: 1 - 1e-12 })
  const largest = variances[0] ?? 0
  const differences = [
    largestDifference(
      model.allVariances.map((value) => value / largest),
      variances.map((value) => value / largest),
    ),
  ]
  for (let c = 0; c < model.componentCount; c++) {
    const own = variances[c] ?? 0
    const nearest = Math.min(
      Math.abs(own - (variances[c - 1] ?? Number.POSITIVE_INFINITY)),
      Math.abs(own - (variances[c + 1] ?? Number.POSITIVE_INFINITY)),
    )
    if (nearest < 1e-4 * largest) continue
    const ours = model.components.slice(c * width, (c + 1) * width)
    const theirs = components.slice(c * width, (c + 1) * width)
    const sign = Math.sign(ours.reduce((sum, value, i) => sum + value * (theirs[i] ?? 0), 0))
    differences.push(
      largestDifference(
        ours.map((value) => sign * value),
        theirs,
      ),
    )
  }
  return Math.max(...differences)
}

function wassersteinOfColumns(train: FeatureMatrix, test: FeatureMatrix): number[] {
  const column = ({ values, columnNames }: FeatureMatrix, c: number) =>
    values.filter((_, i) => i % columnNames.length === c)
  return train.columnNames.map((_, c) => wassersteinDistance(column(train, c), column(test, c)))
}
