import { invalidOption } from '../errors.ts'
import { createRandom, nextIndex, type Random, sampleIndices } from '../statistics/random.ts'
import type { CompleteTraining } from './training-options.ts'

/** A network that can be trained on numbered items: rows or windows. */
export type Trainee = {
  /** One step on a batch of items. @returns the sum of their squared errors before the step */
  readonly train: (items: Uint32Array) => number
  /** The sum of squared errors of a batch of items, without learning. */
  readonly measure: (items: Uint32Array) => number
  /** Cells of the items that are not missing. */
  readonly observedCells: (items: Uint32Array) => number
  /** The parameters, live. */
  readonly parameters: Float32Array
}

/** What a training run was like. */
export type TrainingHistory = {
  /** Items learnt from. */
  readonly trainedRowCount: number
  /** Items held out; 0 where training could not stop early. */
  readonly heldOutRowCount: number
  /** Half the mean squared error per cell, in each epoch, while its steps were taken. */
  readonly trainingLosses: Float64Array
  /** The same over the held-out items after each epoch; empty without any. */
  readonly heldOutLosses: Float64Array
  /** Epochs behind the parameters that were kept. */
  readonly keptEpoch: number
}

/** Streams of the seed, one per use, so that no option shifts the numbers of another. */
export const STREAM = { weights: 0, heldOut: 1, order: 2, dropout: 3 } as const

/**
 * Trains until `maxEpochs`, or until the loss on held-out items has not fallen for `patience`
 * epochs, and then goes back to the parameters of its lowest value.
 * @throws INVALID_OPTION if the loss is no number any more: the learning rate is too high
 * Source of early stopping: Prechelt, "Early Stopping – But When?", 1998.
 */
export function runTraining(
  trainee: Trainee,
  itemCount: number,
  options: CompleteTraining,
): TrainingHistory {
  const { maxEpochs, batchSize, patience, shuffle, seed, learningRate } = options
  const { trained, heldOut } = splitHeldOut(itemCount, options)
  const random = createRandom(seed, STREAM.order)
  const trainedCells = trainee.observedCells(trained)
  const trainingLosses: number[] = []
  const heldOutLosses: number[] = []
  let best = trainee.parameters.slice()
  let keptEpoch = 0
  let lowest = Number.POSITIVE_INFINITY
  for (let epoch = 1; epoch <= maxEpochs && epoch - keptEpoch <= patience; epoch++) {
    if (shuffle) shuffleItems(trained, random)
    let squares = 0
    for (let start = 0; start < trained.length; start += batchSize) {
      squares += trainee.train(trained.subarray(start, start + batchSize))
    }
    trainingLosses.push(meanLoss(squares, trainedCells))
    if (!Number.isFinite(squares)) throw diverged(learningRate)
    if (heldOut.length === 0) {
      keptEpoch = epoch
      continue
    }
    const loss = measureLoss(trainee, heldOut, batchSize)
    heldOutLosses.push(loss)
    if (loss < lowest) {
      lowest = loss
      keptEpoch = epoch
      best = trainee.parameters.slice()
    }
  }
  if (heldOut.length > 0) trainee.parameters.set(best)
  return {
    trainedRowCount: trained.length,
    heldOutRowCount: heldOut.length,
    trainingLosses: Float64Array.from(trainingLosses),
    heldOutLosses: Float64Array.from(heldOutLosses),
    keptEpoch,
  }
}

function measureLoss(trainee: Trainee, items: Uint32Array, batchSize: number): number {
  let squares = 0
  for (let start = 0; start < items.length; start += batchSize) {
    squares += trainee.measure(items.subarray(start, start + batchSize))
  }
  return meanLoss(squares, trainee.observedCells(items))
}

function meanLoss(squares: number, cells: number): number {
  return cells === 0 ? 0 : squares / (2 * cells)
}

/** Items to learn from, in their order, and items held out. */
function splitHeldOut(
  itemCount: number,
  options: CompleteTraining,
): { readonly trained: Uint32Array; readonly heldOut: Uint32Array } {
  const { heldOutRows, heldOutFraction, seed, maxEpochs } = options
  const drawCount = maxEpochs === 0 ? 0 : Math.floor(itemCount * heldOutFraction)
  const drawn =
    heldOutRows ?? sampleIndices(createRandom(seed, STREAM.heldOut), itemCount, drawCount)
  const isHeldOut = new Uint8Array(itemCount)
  for (let i = 0; i < drawn.length; i++) isHeldOut[drawn[i]!] = 1
  const trained = new Uint32Array(itemCount)
  const heldOut = new Uint32Array(itemCount)
  let trainedCount = 0
  let heldOutCount = 0
  for (let item = 0; item < itemCount; item++) {
    if (isHeldOut[item] === 1) heldOut[heldOutCount++] = item
    else trained[trainedCount++] = item
  }
  if (trainedCount === 0) throw invalidOption('heldOutRows', 'fewer than all rows', heldOutCount)
  return {
    trained: trained.subarray(0, trainedCount),
    heldOut: heldOut.subarray(0, heldOutCount),
  }
}

function shuffleItems(items: Uint32Array, random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const other = nextIndex(random, i + 1)
    const kept = items[other]!
    items[other] = items[i]!
    items[i] = kept
  }
}

function diverged(learningRate: number): Error {
  return invalidOption('learningRate', 'small enough for the loss to stay finite', learningRate)
}
