import type { LstmNetwork, LstmTrace } from './lstm-network.ts'
import type { ParameterMatrix } from './parameter-block.ts'

/** Takes the windows that the first `rows` of `items` name as inputs and targets, step by step. */
export function gatherWindows(network: LstmNetwork, rows: number): void {
  const { kernel, shape, widths, cells, items, target, input } = network
  const width = widths.channel
  const windowStride = shape.stepCount * width
  for (let step = 0; step < shape.stepCount; step++) {
    const from = cells + step * width
    const to = step * rows * width
    kernel.gatherRows(from, windowStride, items, rows, width, target + to, input + to)
  }
}

/** Restores the windows gathered before: fills `output`, step × rows × padded channels. */
export function forwardLstm(network: LstmNetwork, rows: number): void {
  const { kernel, shape, widths, matrices, encoder, decoder, output } = network
  const { stepCount, channelCount, hiddenSize } = shape
  const { channel, unit, latent } = widths
  const gates = 4 * unit
  const at = (matrix: ParameterMatrix) => network.parameters.values + matrix.offset
  // The inputs of all steps are known before the first: one product for all.
  kernel.multiply(
    network.input,
    channel,
    1,
    at(matrices.encoderInput),
    gates,
    at(matrices.encoderBias),
    0,
    encoder.gates,
    gates,
    rows * stepCount,
    channelCount,
    gates,
  )
  runSteps(network, encoder, at(matrices.encoderState), rows, undefined)
  forwardLatent(network, rows)
  kernel.multiply(
    latentPlace(network, rows),
    latent,
    1,
    at(matrices.decoderInput),
    gates,
    at(matrices.decoderBias),
    0,
    network.decoderStart,
    gates,
    rows,
    matrices.decoderInput.rows,
    gates,
  )
  runSteps(network, decoder, at(matrices.decoderState), rows, network.decoderStart)
  kernel.multiply(
    decoder.h,
    unit,
    1,
    at(matrices.outputWeights),
    channel,
    at(matrices.outputBias),
    0,
    output,
    channel,
    rows * stepCount,
    hiddenSize,
    channel,
  )
}

/** Where the numbers lie that the decoder gets: rows × padded latent. */
export function latentPlace(network: LstmNetwork, rows: number): number {
  if (network.shape.latentSize > 0) return network.latent
  return network.encoder.h + (network.shape.stepCount - 1) * rows * network.widths.unit
}

function forwardLatent(network: LstmNetwork, rows: number): void {
  const { kernel, shape, widths, matrices, encoder } = network
  if (shape.latentSize === 0) return
  const { latentWeights, latentBias } = matrices
  kernel.multiply(
    encoder.h + (shape.stepCount - 1) * rows * widths.unit,
    widths.unit,
    1,
    network.parameters.values + latentWeights.offset,
    widths.latent,
    network.parameters.values + latentBias.offset,
    0,
    network.latent,
    widths.latent,
    rows,
    shape.hiddenSize,
    widths.latent,
  )
}

/**
 * All steps of one LSTM. Sums of the gates start from `start`, the same at every step, or from
 * what lies in the gates already.
 */
function runSteps(
  network: LstmNetwork,
  trace: LstmTrace,
  stateWeights: number,
  rows: number,
  start: number | undefined,
): void {
  const { kernel, shape, widths, zeros } = network
  const width = widths.unit
  const gateWidth = 4 * width
  for (let step = 0; step < shape.stepCount; step++) {
    const gates = trace.gates + step * rows * gateWidth
    const here = step * rows * width
    const before = here - rows * width
    const hBefore = step === 0 ? zeros : trace.h + before
    const cBefore = step === 0 ? zeros : trace.c + before
    kernel.multiply(
      hBefore,
      width,
      1,
      stateWeights,
      gateWidth,
      start ?? gates,
      gateWidth,
      gates,
      gateWidth,
      rows,
      shape.hiddenSize,
      gateWidth,
    )
    kernel.lstmCell(gates, cBefore, trace.c + here, trace.tanhC + here, trace.h + here, rows, width)
  }
}
