import {
  type Autoencoder,
  type AutoencoderOptions,
  type FeatureMatrix,
  featureMatrix,
  fitAutoencoder,
  fitLstmAutoencoder,
  type LstmAutoencoder,
  scoreAutoencoder,
  windowMatrix,
} from '@isotherm/anomaly'
import { askPeers, writeFloats } from './peers.ts'

const EPOCHS = 40
const TABLES = [0, 3, 5, 8, 10]

/** Loss of our network over the peer's; 1 is equal. */
export type DenseRatios = {
  /** From equal weights with rows in equal order, the farthest from 1 of each table's seeds. */
  readonly equalStart: Readonly<Record<string, number>>
  /** From own weights with rows shuffled: geometric mean over tables and seeds; noisy. */
  readonly ownStart: number
}

/** Dense networks of the same layers, batches and epochs on five tables. */
export async function denseLossRatios(
  folder: string,
  seeds: readonly number[],
): Promise<DenseRatios> {
  const tables = await askPeers<{ readonly names: readonly string[] }>('tables', folder, { seeds })
  const jobs = TABLES.flatMap((table) =>
    seeds.map((seed) => {
      const key = `t${table}s${seed}`
      const rows = withoutConstants(tables.matrix(`${key}.rows`))
      const settings = settingsFor(rows, seed)
      const start = fitAutoencoder(rows, { ...settings, maxEpochs: 0 })
      writeFloats(folder, `${key}.cells`, rows.values)
      writeLayers(folder, key, start)
      return { key, table, seed, rows, settings, layers: [...start.layerSizes] }
    }),
  )
  const { found } = await askPeers<{
    readonly found: Readonly<
      Record<string, { readonly fromOurs: number; readonly fromOwn: number }>
    >
  }>('autoencoders', folder, {
    epochs: EPOCHS,
    jobs: jobs.map(({ key, layers, seed }) => ({ key, layers, seed })),
  })
  const equalStart: Record<string, number> = {}
  let logarithms = 0
  for (const { key, table, rows, settings } of jobs) {
    const name = tables.names[table] ?? key
    const { fromOurs = Number.NaN, fromOwn = Number.NaN } = found[key] ?? {}
    const ratio = lossOf(rows, { ...settings, shuffle: false }) / fromOurs
    const farthest = equalStart[name] ?? 1
    equalStart[name] = Math.abs(ratio - 1) >= Math.abs(farthest - 1) ? ratio : farthest
    logarithms += Math.log(lossOf(rows, settings) / fromOwn)
  }
  return { equalStart, ownStart: Math.exp(logarithms / jobs.length) }
}

function settingsFor(rows: FeatureMatrix, seed: number): AutoencoderOptions {
  const width = rows.columnNames.length
  const outer = Math.max(2, Math.floor((2 * width) / 3))
  return {
    hiddenSizes: [outer, Math.max(1, Math.floor(width / 3)), outer],
    activation: 'relu',
    // The peer limits no cell.
    clip: Number.POSITIVE_INFINITY,
    batchSize: 64,
    l2: 1e-4,
    maxEpochs: EPOCHS,
    heldOutFraction: 0,
    seed,
  }
}

function lossOf(rows: FeatureMatrix, options: AutoencoderOptions): number {
  const errors = scoreAutoencoder(fitAutoencoder(rows, options), rows)
  return errors.reduce((sum, error) => sum + error, 0) / errors.length
}

function writeLayers(
  folder: string,
  key: string,
  { layerSizes, weights, biases }: Autoencoder,
): void {
  let weightStart = 0
  let biasStart = 0
  for (let layer = 0; layer + 1 < layerSizes.length; layer++) {
    const outputs = layerSizes[layer + 1] ?? 0
    const count = (layerSizes[layer] ?? 0) * outputs
    writeFloats(folder, `${key}.weights${layer}`, weights.slice(weightStart, weightStart + count))
    writeFloats(folder, `${key}.biases${layer}`, biases.slice(biasStart, biasStart + outputs))
    weightStart += count
    biasStart += outputs
  }
}

/** scikit-learn's side divides by the standard deviation, so constant columns are left out. */
function withoutConstants({ values, columnNames }: FeatureMatrix): FeatureMatrix {
  const width = columnNames.length
  const varies = columnNames.map((_, c) =>
    values.some((value, i) => i % width === c && value !== values[c]),
  )
  return featureMatrix(
    values.filter((_, i) => varies[i % width] === true),
    columnNames.filter((_, c) => varies[c] === true),
  )
}

const SHAPE = { channels: 3, steps: 12, hidden: 8 }
const BATCH = 32

/** Names and sizes of the parameters, as `LstmParameters` documents them. */
function parameterSizes(): Readonly<Record<string, readonly number[]>> {
  const { channels, hidden } = SHAPE
  return {
    encoderInput: [channels, 4 * hidden],
    encoderState: [hidden, 4 * hidden],
    encoderBias: [4 * hidden],
    decoderInput: [hidden, 4 * hidden],
    decoderState: [hidden, 4 * hidden],
    decoderBias: [4 * hidden],
    outputWeights: [hidden, channels],
    outputBias: [channels],
  }
}

/** Epoch by epoch against an LSTM written out in numpy that starts from our parameters. */
export async function lstmLossRatio(folder: string): Promise<number> {
  const { channels, steps, hidden } = SHAPE
  const values = Float64Array.from({ length: 320 * steps * channels }, (_, i) => {
    const channel = i % channels
    const step = Math.floor(i / channels)
    return (
      Math.sin(0.4 * step + channel) + 0.3 * Math.cos(0.11 * step * (channel + 1)) + 2 * channel
    )
  })
  const windows = windowMatrix(values, ['a', 'b', 'c'], steps)
  const settings = {
    stepCount: steps,
    hiddenSize: hidden,
    batchSize: BATCH,
    heldOutFraction: 0,
    l2: 0,
    shuffle: false,
  }
  const start = fitLstmAutoencoder(windows, { ...settings, maxEpochs: 0 })
  writeFloats(folder, 'windows', values)
  for (const name of Object.keys(parameterSizes()))
    writeFloats(folder, name, parameter(start, name))
  const { losses } = await askPeers<{ readonly losses: readonly number[] }>('lstm', folder, {
    shape: { channels, steps, parameters: parameterSizes() },
    epochs: 20,
    batch: BATCH,
    rate: 0.001,
  })
  const { trainingLosses } = fitLstmAutoencoder(windows, { ...settings, maxEpochs: 20 })
  return Math.max(...losses.map((loss, epoch) => (trainingLosses[epoch] ?? Number.NaN) / loss))
}

function parameter({ parameters }: LstmAutoencoder, name: string): Float32Array {
  const found = Object.entries(parameters).find(([key]) => key === name)
  if (found === undefined) throw new Error(`the network has no parameter ${name}`)
  return found[1]
}
