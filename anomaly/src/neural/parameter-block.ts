import type { MatrixKernel } from '../kernel/matrix-kernel.ts'
import { type ArenaPlan, paddedColumns, reserve } from './arena.ts'

/** A matrix inside the block of parameters; its padding is zero and stays zero. */
export type ParameterMatrix = {
  /** Floats from the start of the block. */
  readonly offset: number
  readonly rows: number
  /** Blocks side by side, each padded alone: the four gates of an LSTM, else 1. */
  readonly blocks: number
  /** Columns of a block. */
  readonly columns: number
}

/** Floats between rows. */
export function strideOf(matrix: ParameterMatrix): number {
  return matrix.blocks * paddedColumns(matrix.columns)
}

/** Parameters without padding. */
export function parameterCount(matrix: ParameterMatrix): number {
  return matrix.rows * matrix.blocks * matrix.columns
}

/** Copies a matrix from `packed` without padding to its place in the kernel. */
export function writeParameters(
  floats: Float32Array,
  blockStart: number,
  matrix: ParameterMatrix,
  packed: Float32Array,
): void {
  eachRun(matrix, (packedAt, paddedAt) => {
    const run = packed.subarray(packedAt, packedAt + matrix.columns)
    floats.set(run, blockStart + matrix.offset + paddedAt)
  })
}

/** Copies a matrix from its place in the kernel without padding. */
export function readParameters(
  floats: Float32Array,
  blockStart: number,
  matrix: ParameterMatrix,
): Float32Array {
  const packed = new Float32Array(parameterCount(matrix))
  eachRun(matrix, (packedAt, paddedAt) => {
    const start = blockStart + matrix.offset + paddedAt
    packed.set(floats.subarray(start, start + matrix.columns), packedAt)
  })
  return packed
}

/** Visits every run of neighbouring parameters: where it starts without and with padding. */
function eachRun(
  matrix: ParameterMatrix,
  visit: (packedAt: number, paddedAt: number) => void,
): void {
  const runCount = matrix.rows * matrix.blocks
  for (let run = 0; run < runCount; run++) {
    visit(run * matrix.columns, run * paddedColumns(matrix.columns))
  }
}

/** The parameters of a network in its kernel, with what Adam keeps of each. */
export type ParameterBlock = {
  readonly count: number
  readonly values: number
  readonly gradients: number
  readonly m: number
  readonly v: number
}

/** Reserves a block; gradients and moments only where the network is to be trained. */
export function reserveParameters(
  plan: ArenaPlan,
  count: number,
  isTrained: boolean,
): ParameterBlock {
  const reserveTrained = () => (isTrained ? reserve(plan, count) : 0)
  return {
    count,
    values: reserve(plan, count),
    gradients: reserveTrained(),
    m: reserveTrained(),
    v: reserveTrained(),
  }
}

/** β1, β2 and ε as in Kingma & Ba 2015; the defaults of scikit-learn and torch too. */
const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8

/** Moves the parameters against their gradients: step `step` = 1, 2, … of Adam. */
export function stepParameters(
  kernel: MatrixKernel,
  block: ParameterBlock,
  step: number,
  learningRate: number,
): void {
  kernel.adamStep(
    block.values,
    block.gradients,
    block.m,
    block.v,
    block.count,
    learningRate / (1 - BETA1 ** step),
    1 / Math.sqrt(1 - BETA2 ** step),
    BETA1,
    1 - BETA1,
    BETA2,
    1 - BETA2,
    EPSILON,
  )
}
