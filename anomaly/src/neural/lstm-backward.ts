import { latentPlace } from './lstm-forward.ts'
import { type LstmNetwork, type LstmTrace, lstmMatrices } from './lstm-network.ts'
import { type ParameterMatrix, strideOf } from './parameter-block.ts'

/**
 * Gradients of ½·Σ errors² / rows + ½·l2·Σ weights² / rows for the windows that went forward, by
 * back-propagation through time. Overwrites the gates.
 * @returns Σ errors²
 * Source: Werbos 1990; the gates' derivatives as in Graves & Schmidhuber 2005.
 */
export function backwardLstm(network: LstmNetwork, rows: number, l2: number): number {
  startGradients(network, l2 / rows)
  const squares = backwardOutput(network, rows)
  backwardDecoder(network, rows)
  backwardLatent(network, rows)
  backwardEncoder(network, rows)
  return squares
}

/** Where a matrix's values and gradients lie. */
function placesOf(network: LstmNetwork, matrix: ParameterMatrix): { value: number; slope: number } {
  const { values, gradients } = network.parameters
  return { value: values + matrix.offset, slope: gradients + matrix.offset }
}

/** Gradients start at the decay of the weights; those of biases at 0. */
function startGradients(network: LstmNetwork, decay: number): void {
  for (const [name] of lstmMatrices(network.shape)) {
    const matrix = network.matrices[name]
    const { value, slope } = placesOf(network, matrix)
    const factor = name.endsWith('Bias') ? 0 : decay
    network.kernel.scaleInto(slope, value, factor, matrix.rows * strideOf(matrix))
  }
}

function backwardOutput(network: LstmNetwork, rows: number): number {
  const { kernel, shape, widths, matrices, decoder, gradient } = network
  const { channel, unit } = widths
  const all = rows * shape.stepCount
  const squares = kernel.residual(
    network.output,
    network.target,
    gradient.output,
    1 / rows,
    all * channel,
  )
  const weights = placesOf(network, matrices.outputWeights)
  const bias = placesOf(network, matrices.outputBias)
  addProduct(
    network,
    decoder.h,
    unit,
    gradient.output,
    channel,
    weights.slope,
    shape.hiddenSize,
    all,
  )
  kernel.addRows(gradient.output, channel, all, channel, bias.slope)
  const transposed = gradient.outputTransposed
  kernel.transpose(weights.value, channel, shape.hiddenSize, shape.channelCount, transposed, unit)
  kernel.multiply(
    gradient.output,
    channel,
    1,
    transposed,
    unit,
    network.zeros,
    0,
    gradient.decoderH,
    unit,
    all,
    shape.channelCount,
    unit,
  )
  return squares
}

function backwardDecoder(network: LstmNetwork, rows: number): void {
  const { kernel, shape, widths, matrices, decoder, gradient, zeros } = network
  const { unit, latent } = widths
  const gates = 4 * unit
  const stepCells = rows * unit
  const state = placesOf(network, matrices.decoderState)
  kernel.transpose(state.value, gates, shape.hiddenSize, gates, gradient.stateTransposed, unit)
  kernel.scaleInto(gradient.c, zeros, 1, stepCells)
  for (let step = shape.stepCount - 1; step >= 0; step--) {
    const dh = gradient.decoderH + step * stepCells
    if (step < shape.stepCount - 1) {
      backThroughState(network, decoder, step + 1, rows, dh, unit, dh)
    }
    backwardCell(network, decoder, step, rows, dh, state.slope)
  }
  // Every step got the same input, so that its gradient is the sum over the steps.
  const start = gradient.decoderStart
  kernel.scaleInto(start, zeros, 1, rows * gates)
  kernel.addRows(decoder.gates, rows * gates, shape.stepCount, rows * gates, start)
  const input = placesOf(network, matrices.decoderInput)
  const inner = matrices.decoderInput.rows
  addProduct(network, latentPlace(network, rows), latent, start, gates, input.slope, inner, rows)
  kernel.addRows(start, gates, rows, gates, placesOf(network, matrices.decoderBias).slope)
  kernel.transpose(input.value, gates, inner, gates, gradient.inputTransposed, latent)
  kernel.multiply(
    start,
    gates,
    1,
    gradient.inputTransposed,
    latent,
    zeros,
    0,
    gradient.latent,
    latent,
    rows,
    gates,
    latent,
  )
}

/** From the gradient of what the decoder got to that of the encoder's last output. */
function backwardLatent(network: LstmNetwork, rows: number): void {
  const { kernel, shape, widths, matrices, encoder, gradient } = network
  const { unit, latent } = widths
  if (shape.latentSize === 0) {
    kernel.scaleInto(gradient.encoderH, gradient.latent, 1, rows * unit)
    return
  }
  const weights = placesOf(network, matrices.latentWeights)
  const lastH = encoder.h + (shape.stepCount - 1) * rows * unit
  addProduct(network, lastH, unit, gradient.latent, latent, weights.slope, shape.hiddenSize, rows)
  const bias = placesOf(network, matrices.latentBias)
  kernel.addRows(gradient.latent, latent, rows, latent, bias.slope)
  const transposed = gradient.latentTransposed
  kernel.transpose(weights.value, latent, shape.hiddenSize, shape.latentSize, transposed, unit)
  kernel.multiply(
    gradient.latent,
    latent,
    1,
    transposed,
    unit,
    network.zeros,
    0,
    gradient.encoderH,
    unit,
    rows,
    shape.latentSize,
    unit,
  )
}

function backwardEncoder(network: LstmNetwork, rows: number): void {
  const { kernel, shape, widths, matrices, encoder, gradient, zeros } = network
  const { unit, channel } = widths
  const gates = 4 * unit
  const state = placesOf(network, matrices.encoderState)
  const input = placesOf(network, matrices.encoderInput)
  kernel.transpose(state.value, gates, shape.hiddenSize, gates, gradient.stateTransposed, unit)
  kernel.scaleInto(gradient.c, zeros, 1, rows * unit)
  for (let step = shape.stepCount - 1; step >= 0; step--) {
    if (step < shape.stepCount - 1) {
      backThroughState(network, encoder, step + 1, rows, zeros, 0, gradient.encoderH)
    }
    backwardCell(network, encoder, step, rows, gradient.encoderH, state.slope)
    const inputs = network.input + step * rows * channel
    const slopes = encoder.gates + step * rows * gates
    addProduct(network, inputs, channel, slopes, gates, input.slope, shape.channelCount, rows)
  }
  const bias = placesOf(network, matrices.encoderBias)
  kernel.addRows(encoder.gates, gates, rows * shape.stepCount, gates, bias.slope)
}

/** One step back: the gradients of its gates, and of the weights from the step before. */
function backwardCell(
  network: LstmNetwork,
  trace: LstmTrace,
  step: number,
  rows: number,
  dh: number,
  stateSlope: number,
): void {
  const { kernel, shape, widths, gradient, zeros } = network
  const unit = widths.unit
  const here = step * rows * unit
  const before = here - rows * unit
  const gates = trace.gates + 4 * here
  const cBefore = step === 0 ? zeros : trace.c + before
  kernel.lstmCellBackward(gates, cBefore, trace.tanhC + here, dh, gradient.c, rows, unit)
  if (step === 0) return
  addProduct(network, trace.h + before, unit, gates, 4 * unit, stateSlope, shape.hiddenSize, rows)
}

/** Gradient of the outputs before `step` from the gradients of its gates, added to `start`. */
function backThroughState(
  network: LstmNetwork,
  trace: LstmTrace,
  step: number,
  rows: number,
  start: number,
  startStride: number,
  dh: number,
): void {
  const { kernel, widths, gradient } = network
  const unit = widths.unit
  const gates = trace.gates + step * rows * 4 * unit
  kernel.multiply(
    gates,
    4 * unit,
    1,
    gradient.stateTransposed,
    unit,
    start,
    startStride,
    dh,
    unit,
    rows,
    4 * unit,
    unit,
  )
}

/** slope += xᵀ·d, for x rows × `inputs` and d rows × `width`. */
function addProduct(
  network: LstmNetwork,
  x: number,
  xStride: number,
  d: number,
  width: number,
  slope: number,
  inputs: number,
  rows: number,
): void {
  network.kernel.multiply(x, 1, xStride, d, width, slope, width, slope, width, inputs, rows, width)
}
