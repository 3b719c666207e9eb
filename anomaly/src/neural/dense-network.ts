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

/** Non-linearity of the hidden layers; the output is linear. */
export type HiddenActivation = 'relu' | 'tanh'

/** One layer: y = f(x·W + b), and where it lies in the kernel. */
export type DenseLayer = {
  readonly weights: ParameterMatrix
  readonly bias: ParameterMatrix
  /** Inputs, rows × padded inputs: the outputs of the layer before. */
  readonly input: number
  readonly output: number
  /** Outputs before dropout; the same place where there is none. */
  readonly activated: number
  /** Gradient of the loss by the layer's outputs. */
  readonly outputGradient: number
  readonly dropoutFactors: number | undefined
}

/** A chain of dense layers in a kernel of its own, for up to `maxRows` rows at a time. */
export type DenseNetwork = {
  readonly kernel: MatrixKernel
  readonly layers: readonly DenseLayer[]
  readonly activation: HiddenActivation
  readonly maxRows: number
  readonly parameters: ParameterBlock
  /** Wanted outputs, rows × padded columns, NaN where missing. */
  readonly target: number
  /** All rows to learn from, as the targets; empty where rows come in by `target`. */
  readonly cells: number
  /** Integers: the rows that go forward. */
  readonly items: number
  readonly zeros: number
  /** Room for one transposed matrix of weights; its padding stays zero. */
  readonly transposed: readonly number[]
}

/**
 * Lays out a network; all its numbers are zero.
 * @param use rows to learn from, 0 for a network that only scores; and the hidden layers, from
 *   the first, whose outputs are dropped at random
 */
export function createDenseNetwork(
  layerSizes: ArrayLike<number>,
  activation: HiddenActivation,
  maxRows: number,
  use: {
    readonly trainingRows: number
    readonly dropoutLayers: number
    readonly kernelKind?: MatrixKernel['kind']
  },
): DenseNetwork {
  const isTrained = use.trainingRows > 0
  const plan: ArenaPlan = { floatCount: 0 }
  const widest = paddedColumns(Math.max(...Array.from(layerSizes)))
  const zeros = reserve(plan, widest)
  const { layers: shapes, count } = denseParameters(layerSizes)
  const parameters = reserveParameters(plan, count, isTrained)
  const rowsOf = (width: number) => reserve(plan, maxRows * paddedColumns(width))
  const reserveTrained = (width: number) => (isTrained ? rowsOf(width) : 0)
  const target = rowsOf(layerSizes[0]!)
  const cells = reserve(plan, use.trainingRows * paddedColumns(layerSizes[0]!))
  const items = reserve(plan, maxRows)
  let input = rowsOf(layerSizes[0]!)
  const layers = shapes.map(({ weights, bias }, index): DenseLayer => {
    const isDropped = index < use.dropoutLayers
    const output = rowsOf(bias.columns)
    const layer = {
      weights,
      bias,
      input,
      output,
      activated: isDropped ? rowsOf(bias.columns) : output,
      outputGradient: reserveTrained(bias.columns),
      dropoutFactors: isDropped ? rowsOf(bias.columns) : undefined,
    }
    input = output
    return layer
  })
  const transposed = layers.map(({ weights }) =>
    isTrained ? reserve(plan, weights.columns * paddedColumns(weights.rows)) : 0,
  )
  const kernel = createMatrixKernel(plan.floatCount, use.kernelKind)
  const places = { target, cells, items, zeros, transposed }
  return { kernel, layers, activation, maxRows, parameters, ...places }
}

/** Where the weights and biases of the layers lie in the block of parameters. */
function denseParameters(layerSizes: ArrayLike<number>): {
  readonly layers: readonly Pick<DenseLayer, 'weights' | 'bias'>[]
  readonly count: number
} {
  let count = 0
  const place = (rows: number, columns: number): ParameterMatrix => {
    const matrix = { offset: count, rows, blocks: 1, columns }
    count += rows * strideOf(matrix)
    return matrix
  }
  const layers: Pick<DenseLayer, 'weights' | 'bias'>[] = []
  for (let layer = 1; layer < layerSizes.length; layer++) {
    const columns = layerSizes[layer]!
    layers.push({ weights: place(layerSizes[layer - 1]!, columns), bias: place(1, columns) })
  }
  return { layers, count }
}

/** Puts weights and biases, layer after layer without padding, into the network. */
export function loadDense(
  network: DenseNetwork,
  weights: Float32Array,
  biases: Float32Array,
): void {
  const { kernel, parameters } = network
  let weightsAt = 0
  let biasesAt = 0
  for (const layer of network.layers) {
    writeParameters(kernel.floats, parameters.values, layer.weights, weights.subarray(weightsAt))
    writeParameters(kernel.floats, parameters.values, layer.bias, biases.subarray(biasesAt))
    weightsAt += parameterCount(layer.weights)
    biasesAt += parameterCount(layer.bias)
  }
}

/** Weights and biases, or their gradients, layer after layer without padding. */
export function readDense(
  network: DenseNetwork,
  of: 'values' | 'gradients' = 'values',
): { readonly weights: Float32Array; readonly biases: Float32Array } {
  const block = network.parameters[of]
  const { floats } = network.kernel
  const read = (part: 'weights' | 'bias') =>
    joined(network.layers.map((layer) => readParameters(floats, block, layer[part])))
  return { weights: read('weights'), biases: read('bias') }
}

/** Arrays one after another in one. */
function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0))
  let at = 0
  for (const array of arrays) {
    all.set(array, at)
    at += array.length
  }
  return all
}

/** Takes the rows of `from` that the first `rows` of `items` name as inputs and targets. */
export function gatherDense(network: DenseNetwork, from: number, rows: number): void {
  const { kernel, layers, items, target } = network
  const { input, weights } = layers[0]!
  const stride = paddedColumns(weights.rows)
  kernel.gatherRows(from, stride, items, rows, stride, target, input)
}

/** Computes the outputs of the first `rows` inputs; with dropout only where training. */
export function forwardDense(network: DenseNetwork, rows: number, isTraining: boolean): void {
  const { kernel, layers, activation, parameters } = network
  for (const [index, layer] of layers.entries()) {
    const width = strideOf(layer.weights)
    const stride = paddedColumns(layer.weights.rows)
    const weights = parameters.values + layer.weights.offset
    const bias = parameters.values + layer.bias.offset
    const { input, output, activated } = layer
    const isDropped = isTraining && layer.dropoutFactors !== undefined
    const sums = isDropped ? activated : output
    const inner = layer.weights.rows
    kernel.multiply(input, stride, 1, weights, width, bias, 0, sums, width, rows, inner, width)
    if (index === layers.length - 1) continue
    kernel[activation](sums, rows * width)
    if (!isDropped) continue
    kernel.scaleInto(output, activated, 1, rows * width)
    kernel.multiplyInto(output, layer.dropoutFactors ?? 0, rows * width)
  }
}

/**
 * Gradients of ½·Σ errors² / rows + ½·l2·Σ weights² / rows for the rows that went forward.
 * @returns Σ errors²
 */
export function backwardDense(network: DenseNetwork, rows: number, l2: number): number {
  const { kernel, layers, parameters, target, zeros } = network
  const last = layers.at(-1)!
  const outputCells = rows * strideOf(last.weights)
  const squares = kernel.residual(last.output, target, last.outputGradient, 1 / rows, outputCells)
  for (let index = layers.length - 1; index >= 0; index--) {
    const layer = layers[index]!
    const { offset, rows: inputs, columns } = layer.weights
    const width = strideOf(layer.weights)
    const stride = paddedColumns(inputs)
    const weights = parameters.values + offset
    const gradient = parameters.gradients + offset
    const biasGradient = parameters.gradients + layer.bias.offset
    const d = layer.outputGradient
    kernel.scaleInto(gradient, weights, l2 / rows, inputs * width)
    kernel.multiply(
      layer.input,
      1,
      stride,
      d,
      width,
      gradient,
      width,
      gradient,
      width,
      inputs,
      rows,
      width,
    )
    kernel.scaleInto(biasGradient, zeros, 0, width)
    kernel.addRows(d, width, rows, width, biasGradient)
    if (index === 0) break
    const before = layers[index - 1]!
    const transposed = network.transposed[index]!
    const dBefore = before.outputGradient
    kernel.transpose(weights, width, inputs, columns, transposed, stride)
    kernel.multiply(
      d,
      width,
      1,
      transposed,
      stride,
      zeros,
      0,
      dBefore,
      stride,
      rows,
      columns,
      stride,
    )
    if (before.dropoutFactors !== undefined) {
      kernel.multiplyInto(dBefore, before.dropoutFactors, rows * stride)
    }
    if (network.activation === 'relu') kernel.reluBackward(dBefore, before.activated, rows * stride)
    else kernel.tanhBackward(dBefore, before.activated, rows * stride)
  }
  return squares
}
