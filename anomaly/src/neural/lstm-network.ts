import { createMatrixKernel, type MatrixKernel } from '../kernel/matrix-kernel.ts'
import { type ArenaPlan, paddedColumns, reserve } from './arena.ts'
import {
  type ParameterBlock,
  type ParameterMatrix,
  parameterCount,
  readParameters,
  reserveParameters,
  strideOf,
  writeParameters,
} from './parameter-block.ts'

/** Sizes of an LSTM autoencoder. */
export type LstmShape = {
  readonly channelCount: number
  readonly stepCount: number
  /** Units of the encoder and of the decoder. */
  readonly hiddenSize: number
  /** Numbers a window is squeezed into; 0 where the encoder's last output goes on as it is. */
  readonly latentSize: number
}

/**
 * Parameters by name, without padding, row-major. Columns of the LSTM matrices are the gates
 * input, forget, candidate, output, `hiddenSize` each: torch's weight_ih and weight_hh transposed.
 */
export type LstmParameters = {
  /** channels × 4·hidden */
  readonly encoderInput: Float32Array
  /** hidden × 4·hidden */
  readonly encoderState: Float32Array
  /** 4·hidden */
  readonly encoderBias: Float32Array
  /** hidden × latent; empty without a latent layer */
  readonly latentWeights: Float32Array
  /** latent */
  readonly latentBias: Float32Array
  /** latent, or hidden without a latent layer, × 4·hidden */
  readonly decoderInput: Float32Array
  /** hidden × 4·hidden */
  readonly decoderState: Float32Array
  /** 4·hidden */
  readonly decoderBias: Float32Array
  /** hidden × channels */
  readonly outputWeights: Float32Array
  /** channels */
  readonly outputBias: Float32Array
}

/** Name of a matrix of parameters. */
export type LstmParameterName = keyof LstmParameters

/** What one LSTM leaves behind at every step, step × rows × padded units. */
export type LstmTrace = {
  /** Four gates wide. */
  readonly gates: number
  readonly c: number
  readonly tanhC: number
  readonly h: number
}

/** An LSTM autoencoder in a kernel of its own, for up to `maxRows` windows at a time. */
export type LstmNetwork = {
  readonly kernel: MatrixKernel
  readonly shape: LstmShape
  /** Padded columns of channels, of units, and of what the decoder gets. */
  readonly widths: { readonly channel: number; readonly unit: number; readonly latent: number }
  readonly parameters: ParameterBlock
  readonly matrices: Readonly<Record<LstmParameterName, ParameterMatrix>>
  readonly encoder: LstmTrace
  readonly decoder: LstmTrace
  /** All windows to learn from, or to score, window × step × padded channels. */
  readonly cells: number
  /** Integers: the windows that go forward. */
  readonly items: number
  /** Step × rows × padded channels; NaN where missing. */
  readonly target: number
  readonly input: number
  readonly output: number
  /** Outputs of the latent layer, rows × padded latent; 0 without one. */
  readonly latent: number
  /** Weighted sums that every step of the decoder starts from. */
  readonly decoderStart: number
  readonly zeros: number
  readonly gradient: LstmGradientPlaces
}

/** Room for gradients; 0 in a network that only scores. */
export type LstmGradientPlaces = {
  readonly output: number
  readonly decoderH: number
  readonly encoderH: number
  readonly c: number
  readonly decoderStart: number
  readonly latent: number
  /** One transposed matrix each. */
  readonly outputTransposed: number
  readonly stateTransposed: number
  readonly inputTransposed: number
  readonly latentTransposed: number
}

/** Rows, blocks and columns of every matrix of parameters, in the order they are drawn. */
export function lstmMatrices(shape: LstmShape): readonly [LstmParameterName, Matrix][] {
  const { channelCount, hiddenSize, latentSize } = shape
  const gates = (rows: number): Matrix => ({ rows, blocks: 4, columns: hiddenSize })
  const dense = (rows: number, columns: number): Matrix => ({ rows, blocks: 1, columns })
  return [
    ['encoderInput', gates(channelCount)],
    ['encoderState', gates(hiddenSize)],
    ['encoderBias', gates(1)],
    ['latentWeights', dense(latentSize === 0 ? 0 : hiddenSize, latentSize)],
    ['latentBias', dense(1, latentSize)],
    ['decoderInput', gates(latentSize === 0 ? hiddenSize : latentSize)],
    ['decoderState', gates(hiddenSize)],
    ['decoderBias', gates(1)],
    ['outputWeights', dense(hiddenSize, channelCount)],
    ['outputBias', dense(1, channelCount)],
  ]
}

type Matrix = Omit<ParameterMatrix, 'offset'>

/**
 * Lays out a network; all its numbers are zero.
 * @param use windows it keeps, and whether it is trained
 */
export function createLstmNetwork(
  shape: LstmShape,
  maxRows: number,
  use: {
    readonly windowCount: number
    readonly isTrained: boolean
    readonly kernelKind?: MatrixKernel['kind']
  },
): LstmNetwork {
  const { stepCount, channelCount, hiddenSize, latentSize } = shape
  const latentWidth = paddedColumns(latentSize === 0 ? hiddenSize : latentSize)
  const widths = {
    channel: paddedColumns(channelCount),
    unit: paddedColumns(hiddenSize),
    latent: latentWidth,
  }
  const plan: ArenaPlan = { floatCount: 0 }
  const { matrices, count } = placeMatrices(shape)
  const stepCells = stepCount * maxRows
  const zeros = reserve(plan, maxRows * 4 * widths.unit)
  const parameters = reserveParameters(plan, count, use.isTrained)
  const trace = (): LstmTrace => ({
    gates: reserve(plan, stepCells * 4 * widths.unit),
    c: reserve(plan, stepCells * widths.unit),
    tanhC: reserve(plan, stepCells * widths.unit),
    h: reserve(plan, stepCells * widths.unit),
  })
  const encoder = trace()
  const decoder = trace()
  const places = {
    cells: reserve(plan, use.windowCount * stepCount * widths.channel),
    items: reserve(plan, maxRows),
    target: reserve(plan, stepCells * widths.channel),
    input: reserve(plan, stepCells * widths.channel),
    output: reserve(plan, stepCells * widths.channel),
    latent: latentSize === 0 ? 0 : reserve(plan, maxRows * latentWidth),
    decoderStart: reserve(plan, maxRows * 4 * widths.unit),
    zeros,
  }
  const gradient = placeGradients(plan, stepCount, maxRows, widths, use.isTrained)
  const kernel = createMatrixKernel(plan.floatCount, use.kernelKind)
  return { kernel, shape, widths, parameters, matrices, encoder, decoder, ...places, gradient }
}

/** Where the matrices lie in the block of parameters. */
function placeMatrices(shape: LstmShape): {
  readonly matrices: Readonly<Record<LstmParameterName, ParameterMatrix>>
  readonly count: number
} {
  let count = 0
  const placed = lstmMatrices(shape).map(([name, matrix]) => {
    const offset = count
    count += matrix.rows * strideOf({ ...matrix, offset })
    return [name, { ...matrix, offset }] as const
  })
  // `lstmMatrices` names every parameter once.
  const matrices = Object.fromEntries(placed) as Record<LstmParameterName, ParameterMatrix>
  return { matrices, count }
}

function placeGradients(
  plan: ArenaPlan,
  stepCount: number,
  maxRows: number,
  widths: LstmNetwork['widths'],
  isTrained: boolean,
): LstmGradientPlaces {
  const place = (count: number) => (isTrained ? reserve(plan, count) : 0)
  const gates = 4 * widths.unit
  return {
    output: place(stepCount * maxRows * widths.channel),
    decoderH: place(stepCount * maxRows * widths.unit),
    encoderH: place(maxRows * widths.unit),
    c: place(maxRows * widths.unit),
    decoderStart: place(maxRows * gates),
    latent: place(maxRows * widths.latent),
    outputTransposed: place(widths.channel * widths.unit),
    stateTransposed: place(gates * widths.unit),
    inputTransposed: place(gates * widths.latent),
    latentTransposed: place(widths.latent * widths.unit),
  }
}

/** Puts parameters into the network. */
export function loadLstm(network: LstmNetwork, parameters: LstmParameters): void {
  const { kernel, matrices } = network
  for (const [name] of lstmMatrices(network.shape)) {
    writeParameters(kernel.floats, network.parameters.values, matrices[name], parameters[name])
  }
}

/** The network's parameters, or their gradients. */
export function readLstm(
  network: LstmNetwork,
  of: 'values' | 'gradients' = 'values',
): LstmParameters {
  const { kernel, matrices, parameters } = network
  const read = lstmMatrices(network.shape).map(([name]) => [
    name,
    readParameters(kernel.floats, parameters[of], matrices[name]),
  ])
  // `lstmMatrices` names every parameter once.
  return Object.fromEntries(read) as LstmParameters
}

/** Cells that the parameters of a shape have, by name. */
export function lstmParameterCounts(shape: LstmShape): readonly [LstmParameterName, number][] {
  return lstmMatrices(shape).map(([name, matrix]) => [
    name,
    parameterCount({ ...matrix, offset: 0 }),
  ])
}
