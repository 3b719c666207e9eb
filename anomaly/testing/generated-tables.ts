import { type FeatureMatrix, featureMatrix, selectRows } from '../src/feature-matrix.ts'
import { createRandom, nextNormal, nextOpenUnit, type Random } from '../src/statistics/random.ts'

/** A table with known outliers; the same on every machine. */
export type LabelledTable = {
  readonly name: string
  readonly matrix: FeatureMatrix
  /** 1 for an outlier, 0 for an ordinary row. */
  readonly labels: Uint8Array
}

/** Column names c0, c1, … */
export function numberedColumns(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${index}`)
}

/** Independent standard normal cells. */
export function normalMatrix(rowCount: number, columnCount: number, seed: number): FeatureMatrix {
  const random = createRandom(seed)
  const values = new Float64Array(rowCount * columnCount)
  for (let i = 0; i < values.length; i++) values[i] = nextNormal(random)
  return featureMatrix(values, numberedColumns(columnCount))
}

/** The tables on which detectors are compared with scikit-learn. */
export function labelledTables(): LabelledTable[] {
  return [
    table('three clusters, uniform outliers', 11, 1000, 8, clusterRow),
    table('four latent factors, broken relation', 12, 1500, 12, factorRow),
    table('heavy tails, shifted columns', 13, 2000, 20, tailRow),
  ]
}

/** The rows of a table that are no outliers, in their order. */
export function healthyRows({ matrix, labels }: LabelledTable): FeatureMatrix {
  return selectRows(
    matrix,
    [...labels.keys()].filter((row) => labels[row] === 0),
  )
}

type RowWriter = (random: Random, row: Float64Array, isOutlier: boolean) => void

/** Every twentieth row is an outlier. */
function table(
  name: string,
  seed: number,
  rowCount: number,
  columnCount: number,
  write: RowWriter,
): LabelledTable {
  const random = createRandom(seed)
  const values = new Float64Array(rowCount * columnCount)
  const labels = new Uint8Array(rowCount)
  for (let row = 0; row < rowCount; row++) {
    labels[row] = row % 20 === 7 ? 1 : 0
    const cells = values.subarray(row * columnCount, (row + 1) * columnCount)
    write(random, cells, labels[row] === 1)
  }
  return { name, matrix: featureMatrix(values, numberedColumns(columnCount)), labels }
}

function clusterRow(random: Random, row: Float64Array, isOutlier: boolean): void {
  const centre = Math.floor(nextOpenUnit(random) * 3) * 4
  for (let c = 0; c < row.length; c++) {
    row[c] = isOutlier ? nextOpenUnit(random) * 14 - 3 : centre + nextNormal(random)
  }
}

function factorRow(random: Random, row: Float64Array, isOutlier: boolean): void {
  const factors = [0, 0, 0, 0].map(() => nextNormal(random))
  for (let c = 0; c < row.length; c++) {
    const factor = factors[c % 4] ?? 0
    const follows = !isOutlier || c % 3 !== 0
    row[c] = (follows ? factor : 2 * nextNormal(random)) + 0.3 * nextNormal(random)
  }
}

function tailRow(random: Random, row: Float64Array, isOutlier: boolean): void {
  for (let c = 0; c < row.length; c++) {
    const tail = nextNormal(random) / Math.sqrt(nextOpenUnit(random))
    row[c] = tail + (isOutlier && c < 6 ? 3 : 0)
  }
}
